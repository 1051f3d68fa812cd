"""Filter files: what they may hold, and where what is wrong is shown."""

import logging
import pickle
import re
from pathlib import Path
from textwrap import dedent

import pyarrow as pa
import pytest

from broker.filters.definition import Filter, FilterError, load_filters
from broker.filters.limits import Limits
from broker.filters.regions import Box, Cone, Galactic, Moc, Polygon

MINIMAL = "name: young\nowner: me@example.org\ncondition: pSNIa > 0.8\n"
EXAMPLES = Path(__file__).parents[2] / "examples" / "filters"


def write(folder: Path, text: str, name: str = "one.yaml") -> Path:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return folder


def load_one(folder: Path, text: str, columns: pa.Schema) -> Filter:
    (made,) = load_filters(write(folder, text), columns)
    return made


def errors_of(folder: Path, text: str, columns: pa.Schema) -> str:
    with pytest.raises(FilterError) as caught:
        load_filters(write(folder, text), columns)
    return str(caught.value).replace(f"{folder}/", "")


def test_three_keys_are_enough(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    made = load_one(tmp_path, MINIMAL, annotation_columns)
    assert (made.name, made.owner, made.condition) == ("young", "me@example.org", "pSNIa > 0.8")
    assert made.stamp == {"name": "young", "version": "1"}
    assert (made.regions, made.limits, made.formats, made.columns) == ((), Limits(), ("jsonl", "avro"), ())


def test_every_key(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    text = """\
        name: All-of_it9
        owner: me
        version: 1.10
        description: about
        condition: >-
          pSNIa > 0.8
          AND snr > 5
        regions:
          - cone: {ra: 10, dec: -20, radius: 2.5}
          - box: {ra: [350, 10], dec: [-5, 5]}
          - polygon: [[0, 0], [2, 0], [1, 2]]
          - galactic: {minAbsB: 20}
          - moc: sky.json
        limits: {perNight: 5, perObject: 2, cooldownDays: 0.5}
        outputs: {formats: [avro], columns: [SNR, flux_max_g, classifications], lightCurve: true}
        """
    (tmp_path / "sky.json").write_text('{"3": [5, 6]}')
    made = load_one(tmp_path, text, annotation_columns)
    assert (made.version, made.description, made.condition) == ("1.10", "about", "pSNIa > 0.8 AND snr > 5")
    assert made.regions[:4] == (
        Cone(10, -20, 2.5),
        Box((350, 10), (-5, 5)),
        Polygon(((0, 0), (2, 0), (1, 2))),
        Galactic(min_abs_b=20),
    )
    assert isinstance(made.regions[4], Moc)
    assert made.limits == Limits(5, 2, 0.5)
    assert (made.formats, made.columns) == (("avro",), ("snr", "flux_max_g", "classifications", "lightCurve"))
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - its own bytes


def test_an_error_looks_like_this(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    text = """\
        name: young
        owner: me
        condition: |
          pSNIa > 0.8

            AND nDetetions >= 3
        """
    expected = """\
        one.yaml:6:9: unknown column 'nDetetions'
          6 |     AND nDetetions >= 3
            |         ^^^^^^^^^^
          did you mean nDetections?"""
    assert errors_of(tmp_path, text, annotation_columns) == dedent(expected)


def test_everything_wrong_is_told_at_once(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    write(tmp_path, "name: a\nowner: me\ncondition: pSN1a > 0.8 AND band = 3\nlimits: {perNight: 0}\n", "a.yaml")
    write(tmp_path, "nam: b\nowner: me\n", "b.yml")
    write(tmp_path, MINIMAL, "c.yaml")
    write(tmp_path, "not a filter", "notes.txt")
    with pytest.raises(FilterError) as caught:
        load_filters(tmp_path, annotation_columns)
    places = [(Path(f.file).name, f.line, f.column) for f in caught.value.findings]
    assert places == [("a.yaml", 3, 12), ("a.yaml", 3, 28), ("a.yaml", 4, 20), ("b.yml", 1, 1), ("b.yml", 1, 1)]


HEAD = "name: n\nowner: o\ncondition: snr > 3\n"
WRONG = {
    "not YAML": ("name: [n\nowner: o\n", "one.yaml:2:6: not YAML"),
    "a tab": ("name: n\n\towner: o\n", "one.yaml:2:1: not YAML"),
    "an open quote": ("name: 'n\nowner: o\n", "not YAML: found unexpected end of stream"),
    "a list": ("- name: n\n", "one.yaml:1:1: not a YAML mapping, but a list"),
    "a word": ("young\n", "not a YAML mapping, but a single value"),
    "empty": ("", "one.yaml: empty"),
    "only a comment": ("# nothing\n", "one.yaml: empty"),
    "two documents": (HEAD + "---\n" + HEAD, "not YAML: but found another document"),
    "a key twice": (HEAD + "name: m\n", 'one.yaml:4:1: not YAML: found duplicate key "name"'),
    "an alias": ("name: &x n\nowner: *x\n", "one.yaml:2:8: YAML aliases (*name) aren't used here"),
    "half a character": (HEAD + 'x: "\\ud83d\\ude00"\n', "one.yaml:4:4: a \\u escape is half of a character"),
    "a tag": ("name: !!python/object:os.system n\n", "not YAML: could not determine a constructor"),
    "too deep": ("a: " + "[" * 3000 + "]" * 3000, "one.yaml:1:23: nested too deeply"),
    "a missing key": ("name: n\ncondition: snr > 3\n", "one.yaml:1:1: the file lacks the key 'owner'"),
    "an unknown key": (HEAD + "limit: {perNight: 3}\n", "one.yaml:4:1: unknown key 'limit'\n"),
    "nothing near": (HEAD + "zzz: 3\n", "the keys here are condition, description, limits, name"),
    "an unknown key inside": (HEAD + "limits: {perNigth: 3}\n", "one.yaml:4:10: unknown key 'perNigth'"),
    "wrong type": ("name: 3\nowner: o\ncondition: snr > 3\n", "one.yaml:1:7: name: must be text, not 3"),
    "a condition of a number": ("name: n\nowner: o\ncondition: 3\n", "one.yaml:3:12: condition: must be text"),
    "an unsafe name": ("name: ../n\nowner: o\ncondition: snr > 3\n", "one.yaml:1:7: name: '../n' becomes the name"),
    "a long name": (f"name: {'n' * 65}\nowner: o\ncondition: snr > 3\n", "at most 64"),
    "no owner": ("name: n\nowner: ''\ncondition: snr > 3\n", "owner: the text must have at least 1 character"),
    "limits of nothing": (HEAD + "limits:\n", "one.yaml:4:1: limits: must be a mapping"),
    "a limit of 0": (HEAD + "limits: {perNight: 0}\n", "limits.perNight: must be greater than 0, not 0"),
    "half a limit": (HEAD + "limits: {perObject: 1.5}\n", "limits.perObject: must be a whole number, not 1.5"),
    "a limit of true": (HEAD + "limits: {perObject: true}\n", "limits.perObject: must be a whole number, not True"),
    "a pause below 0": (HEAD + "limits: {cooldownDays: -1}\n", "one.yaml:4:24: limits.cooldownDays: must be greater"),
    "a pause without end": (HEAD + "limits: {cooldownDays: .inf}\n", "limits.cooldownDays: must be a finite number"),
    "an unknown format": (HEAD + "outputs: {formats: [json]}\n", "one.yaml:4:21: outputs.formats[0]: must be 'jsonl'"),
    "no format": (HEAD + "outputs: {formats: []}\n", "outputs.formats: the list must have at least 1 item"),
    "an unknown output": (HEAD + "outputs:\n  columns: [ra, hostPhotz]\n", "one.yaml:5:17: unknown column 'hostPhotz'"),
    "no regions": (HEAD + "regions: []\n", "regions: the list must have at least 1 item"),
    "two in one": (
        HEAD + "regions:\n  - cone: {ra: 1, dec: 2, radius: 3}\n    moc: x\n",
        "regions[0]: a region has one of cone, box, polygon, galactic, moc; given: cone and moc",
    ),
    "none in one": (HEAD + "regions:\n  - {}\n", "one.yaml:5:5: regions[0]: a region has one of cone"),
    "a region misspelt": (HEAD + "regions:\n  - cones: {ra: 1}\n", "one.yaml:5:5: unknown key 'cones'\n"),
    "ra of 400": (
        HEAD + "regions:\n  - cone: {ra: 400, dec: 2, radius: 3}\n",
        "one.yaml:5:16: regions[0].cone.ra: must",
    ),
    "dec of -91": (HEAD + "regions:\n  - cone: {ra: 40, dec: -91, radius: 3}\n", "cone.dec: must be greater than or"),
    "radius of 0": (HEAD + "regions:\n  - cone: {ra: 40, dec: 1, radius: 0}\n", "cone.radius: must be greater than 0"),
    "no radius": (HEAD + "regions:\n  - cone: {ra: 40, dec: 1}\n", "regions[0].cone lacks the key 'radius'"),
    "a box upside down": (HEAD + "regions:\n  - box: {ra: [1, 2], dec: [5, 1]}\n", "5.0 isn't below 1.0"),
    "a box of no width": (HEAD + "regions:\n  - box: {ra: [1, 1], dec: [1, 5]}\n", "for all of them write [0, 360]"),
    "a box of three": (
        HEAD + "regions:\n  - box: {ra: [1, 2, 3], dec: [1, 5]}\n",
        "box.ra: the list must have at most 2",
    ),
    "two corners": (HEAD + "regions:\n  - polygon: [[0, 0], [1, 1]]\n", "polygon: the list must have at least 3"),
    "a corner off the sky": (HEAD + "regions:\n  - polygon: [[0, 0], [1, 1], [0, 95]]\n", "corner [0.0, 95.0] isn't"),
    "a bow tie": (HEAD + "regions:\n  - polygon: [[0, 0], [1, 1], [1, 0], [0, 1]]\n", "its sides cross or touch"),
    "half the sky": (HEAD + "regions:\n  - polygon: [[0, 0], [120, 0], [240, 0]]\n", "no inside"),
    "b out of range": (HEAD + "regions:\n  - galactic: {minAbsB: 95}\n", "galactic.minAbsB: must be less than 90"),
    "b upside down": (
        HEAD + "regions:\n  - galactic: {minAbsB: 50, maxAbsB: 20}\n",
        "minAbsB 50.0 isn't below maxAbsB",
    ),
    "no MOC": (HEAD + "regions:\n  - moc: nothing.fits\n", "one.yaml:5:10: regions[0].moc: no such file"),
    "no MOC, but a filter": (HEAD + "regions:\n  - moc: one.yaml\n", "isn't a MOC in FITS format"),
    "a typo in quotes": (
        "name: n\nowner: o\ncondition: 'band = ''r'' AND snrr > 3'\n",
        "one.yaml:3:30: unknown column 'snrr'",
    ),
    "a typo in double quotes": (
        'name: n\nowner: o\ncondition: "\\"snr\\" > 3 AND snrr > 3"\n',
        "one.yaml:3:29: unknown column 'snrr'",
    ),
    "a typo in a folded text": (
        "name: n\nowner: o\ncondition: >  # fold\n\n  snr > 3 AND\n\n    snrr > 3\n",
        "one.yaml:7:5: unknown column 'snrr'",
    ),
    "a typo in a text over two lines": (
        "name: n\nowner: o\ncondition: snr > 3 AND\n  snrr > 3\n",
        "one.yaml:4:3: unknown column 'snrr'",
    ),
    "a typo beyond what can be located": (
        'name: n\nowner: o\ncondition: "snr > 3 AND\\u0020snrr > 3"\n',
        "one.yaml:3:12: unknown column 'snrr'",
    ),
    "a comment swallowed by folding": (
        "name: n\nowner: o\ncondition: >\n  snr > 3 -- bright\n  AND pSNIa > 0.5\n",
        "one.yaml:4:11: comments aren't allowed in a condition",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_in_a_file(tmp_path: Path, annotation_columns: pa.Schema, text: str, message: str) -> None:
    told = errors_of(tmp_path, text, annotation_columns)
    assert message in told
    # Each finding that has a place shows the line, and a caret under it.
    for place in re.findall(r"^one\.yaml:(\d+):(\d+): .*\n  (\d+) \| (.*)\n +\| ( *)(\^+)$", told, re.MULTILINE):
        line, column, number, shown, indent, caret = place
        assert line == number
        assert len(indent) == int(column) - 1
        assert len(indent + caret) <= max(len(shown), 1) + 1
    assert told.count("^") >= len(re.findall(r"^one\.yaml:\d+:", told, re.MULTILINE))


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    text = "name: n\nowner: o\ncondition: |\n  snr > 3\n  AND snrr > 4\n"
    (tmp_path / "one.yaml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    with pytest.raises(FilterError, match=r"one.yaml:5:7: unknown column 'snrr'"):
        load_filters(tmp_path, annotation_columns)


def test_a_long_line_is_shown_from_around_the_place(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    text = f"name: n\nowner: o\ncondition: {'snr > 3 AND ' * 50}snrr > 3\n"
    told = errors_of(tmp_path, text, annotation_columns).splitlines()
    assert len(told[1]) < 130
    at = told[2].index("^")
    assert told[1][at : at + 4] == "snrr"


def test_what_is_no_text_is_told(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    (tmp_path / "a.yaml").write_bytes(b"name: \xff")
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "c.yaml").write_bytes(b"#" * 250_001)
    with pytest.raises(FilterError) as caught:
        load_filters(tmp_path, annotation_columns)
    assert [f.message for f in caught.value.findings] == [
        "not UTF-8 text (byte 6)",
        "can't be read: Is a directory",
        "250,001 bytes long; such a file has at most 250,000",
    ]


def test_a_name_is_taken_once_whatever_its_case(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    write(tmp_path, MINIMAL, "a.yaml")
    write(tmp_path, MINIMAL.replace("young", "Young"), "b.yaml")
    with pytest.raises(FilterError, match=r"b.yaml:1:7: the name 'Young' is taken by .*a.yaml"):
        load_filters(tmp_path, annotation_columns)


def test_a_directory_that_is_none(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    with pytest.raises(FilterError, match="nothing: no such directory\n  give the directory"):
        load_filters(tmp_path / "nothing", annotation_columns)
    with pytest.raises(FilterError, match=r"one.yaml: not a directory"):
        load_filters(write(tmp_path, MINIMAL) / "one.yaml", annotation_columns)


def test_no_subscriber_is_allowed_and_said(
    tmp_path: Path, annotation_columns: pa.Schema, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert load_filters(tmp_path, annotation_columns) == ()
    assert "holds no filter (*.yaml): nothing will be delivered" in caplog.text


def test_a_doubt_is_said_and_the_filter_taken(
    tmp_path: Path, annotation_columns: pa.Schema, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = load_one(tmp_path, MINIMAL.replace("0.8", "80"), annotation_columns)
    assert made.name == "young"
    assert "one.yaml:3:12: warning: pSNIa is a probability, from 0 to 1, compared with 80" in caplog.text


def test_filters_come_sorted_by_name(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    for k, name in enumerate(("b", "a", "C")):
        write(tmp_path, MINIMAL.replace("young", name), f"{k}.yaml")
    assert [f.name for f in load_filters(tmp_path, annotation_columns)] == ["C", "a", "b"]


def test_the_hash_tells_what_is_sent(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    first = load_one(tmp_path, MINIMAL, annotation_columns).sha256
    assert re.fullmatch("[0-9a-f]{64}", first)
    for same in (
        MINIMAL + "description: words\n",
        MINIMAL.replace("me@", "you@"),
        MINIMAL.replace("pSNIa > 0.8", "|\n  pSNIa\n    >   0.8"),
        MINIMAL + "version: '1'\noutputs: {formats: [avro, jsonl]}\n",
    ):
        assert load_one(tmp_path, same, annotation_columns).sha256 == first
    for other in (
        MINIMAL.replace("0.8", "0.81"),
        MINIMAL.replace("young", "old"),
        MINIMAL + "version: 2\n",
        MINIMAL + "limits: {perNight: 1}\n",
        MINIMAL + "regions: [{galactic: {minAbsB: 1}}]\n",
        MINIMAL + "outputs: {lightCurve: true}\n",
    ):
        assert load_one(tmp_path, other, annotation_columns).sha256 != first


def test_the_hash_tells_a_changed_moc(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    text, hashes = MINIMAL + "regions: [{moc: sky.json}]\n", set()
    for cells in ('{"3": [5, 6]}', '{"3": [5, 7]}'):
        (tmp_path / "sky.json").write_text(cells)
        hashes.add(load_one(tmp_path, text, annotation_columns).sha256)
    assert len(hashes) == 2


def test_white_space_in_quotes_counts_for_the_hash(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    one, two = (MINIMAL.replace("pSNIa > 0.8", f"className = '{text}'") for text in ("SN Ia", "SN  Ia"))
    assert load_one(tmp_path, one, annotation_columns).sha256 != load_one(tmp_path, two, annotation_columns).sha256


def test_the_examples_are_right(annotation_columns: pa.Schema, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        filters = load_filters(EXAMPLES, annotation_columns)
    assert len(filters) == 10
    assert all(f.description for f in filters)
    assert caplog.text == ""
