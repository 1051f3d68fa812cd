"""Filters that mean harm: each is refused when it is checked, or costs no more than it may; other filters are unharmed.

What is allowed is a short list, so most attacks end as something that isn't on it. Each stands here once, so that the
list never grows by it.
"""

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from broker.filters._moc_file import MAX_BYTES, read_ranges
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from broker.filters.read import FilterRead, read_file, read_filters
from broker.filters.watch import FilterWatch

HEAD = "name: f\nowner: me\n"
GOOD = "name: good\nowner: me\ncondition: snr > 3\n"
LINE = "root:x:0:0"

STATEMENTS = [
    "read_csv('/etc/passwd') IS NOT NULL",
    "'/etc/passwd' IN (SELECT * FROM read_text('/etc/passwd'))",
    "snr > (SELECT count(*) FROM '/etc/passwd')",
    "snr > 3 UNION SELECT * FROM read_parquet('x')",
    "EXISTS (FROM read_csv_auto('/etc/passwd'))",
    "FROM '/etc/passwd'",
    "scan_parquet('s3://bucket/key') = 1",
    "pl.read_csv('/etc/passwd')",
    "getenv('HOME') = 'x'",
    "load_extension('httpfs')",
    "http_get('http://127.0.0.1/') = 'x'",
    "snr > 3; COPY alerts TO '/tmp/x'",
    "snr > 3; ATTACH 'x.db'",
    "snr > 3); DROP TABLE alerts; --",
    "1 = 1 OR 1 = 1 --",
    "snr > 3 /* ' */ OR TRUE",
    "snr > 3 /*! OR TRUE */",
    "PRAGMA database_list",
    "SET memory_limit = '1GB'",
    "INSTALL httpfs",
    "CALL pragma_version()",
    "COPY (SELECT 1) TO 'x'",
    "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT 1 FROM t) SELECT 1",
    "snr IN (VALUES (1), (2))",
    "snr > ALL (SELECT 1)",
    "snr = ANY([1, 2])",
    "unnest([1, 2]) = 1",
    "range(1000000000)[1] = 1",
    "generate_series(1, 1000000000) IS NOT NULL",
    "repeat('x', 1000000000) = 'y'",
    "rpad(className, 1000000000, 'x') = 'y'",
    "list_reduce([1], x -> x) = 1",
    "x -> x + 1",
    "__import__('os').system('id')",
    "eval('1')",
    "className.__class__ = 'x'",
    "lambda: 1",
    "{'a': 1}['a'] = 1",
    "map_batches(snr)",
    "sleep(1000) IS NULL",
    "random() > 0.5",
    "now() > snr",
    "current_setting('x') = 'y'",
    "regexp_matches(className, '(a+)+$')",
    "className SIMILAR TO '(a+)+'",
    "className ~ '(a+)+$'",
    "className GLOB '*'",
    "className LIKE className",
    "className LIKE '" + "%a" * 101 + "'",
    "CAST(snr AS BLOB) IS NULL",
    "CAST(className AS JSON) IS NULL",
    "TRY_CAST(className AS BIGINT) = 1",
    "CAST(snr AS DECIMAL(38, 10)) > 1",
    "snr COLLATE nocase > 1",
    "snr AT TIME ZONE 'UTC' > 1",
    "INTERVAL 1 DAY > snr",
    "$1 > snr",
    ":x > snr",
    "@x > snr",
    "alerts.snr > 3",
    "system.snr > 3",
    "* EXCLUDE (snr)",
    "COLUMNS('.*') > 3",
    "row_number() OVER () = 1",
    "sum(snr) FILTER (WHERE TRUE) > 1",
    "snr IS JSON",
    "snr \u2009; DROP TABLE alerts",  # a thin space
    "s\u200bnr > 3",  # a space without width inside a name
    "\uff53\uff4e\uff52 > 3",  # letters of full width
    "\u0455nr > 3",  # the first letter is Cyrillic
    "snr \uff1e 3",  # a sign of full width
    "className = \u2019SN Ia\u2019",
    "\u202esnr > 3",  # text from right to left
    "snr > 3\x00 OR TRUE",
    "snr > 1e999",
    "snr > " + "9" * 5000,
    "alertId = 99999999999999999999",
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_what_is_no_condition_is_refused(annotation_columns: pa.Schema, text: str) -> None:
    checked = check_condition(text, annotation_columns)
    assert checked.term is None
    assert all(problem.message for problem in checked.problems)


LARGE = {
    "ten million characters": ("snr > 1" + " OR snr > 1" * 1_000_000, "characters long"),
    "brackets": ("(" * 40_000 + "snr" + ")" * 40_000 + " > 1", "nested too deeply"),
    "brackets without end": ("(" * 90_000, ""),
    "NOT": ("NOT " * 20_000 + "isDipole", "nested too deeply"),
    "minus": ("- " * 40_000 + "snr > 1", "nested too deeply"),
    "a sum": ("snr" + "+snr" * 20_000 + " > 1", "nested too deeply"),
    "a power": ("2" + "^9" * 40_000 + " > 1", "nested too deeply"),
    "calls": ("abs(" * 15_000 + "snr" + ")" * 15_000 + " > 1", "nested too deeply"),
    "casts": ("snr" + "::DOUBLE" * 10_000 + " > 1", "nested too deeply"),
    "IS NULL": ("isDipole" + " IS NULL" * 10_000, "nested too deeply"),
    "branches": ("CASE" + " WHEN snr > 1 THEN 1" * 4000 + " END = 1", "CASE has 4,000 branches"),
    "CASE in CASE": ("CASE WHEN snr > 1 THEN " * 2000 + "1" + " END" * 2000 + " = 1", "nested too deeply"),
    "functions of the light curve": (
        " OR ".join(f"detections_within({k}) > 1" for k in range(1, 3000)),
        "different calls of functions of the light curve",
    ),
    "values that double": ("", "terms with its values written out"),
}


@pytest.mark.parametrize(("text", "message"), LARGE.values(), ids=LARGE.keys())
def test_what_is_too_large_is_refused_soon(
    text: str, message: str, annotation_columns: pa.Schema, tmp_path: Path
) -> None:
    began = time.process_time()
    if text:
        told = [problem.message for problem in check_condition(text, annotation_columns).problems]
    else:
        doubled = [f"  v{k}: v{k - 1} + v{k - 1}" for k in range(1, 90)]
        (tmp_path / "f.yaml").write_text("\n".join([HEAD + "values:", "  v0: snr + 1", *doubled, "condition: v89 > 1"]))
        told = [finding.message for finding in read_file(tmp_path / "f.yaml", annotation_columns).findings]
    assert any(message in each for each in told), told
    assert time.process_time() - began < 10


def wide(piece: str, joined: str = " OR ") -> str:
    """A third of what fits into a condition: what grows faster than its length shows here, too."""
    pieces = [piece.format(k=k) for k in range(33_000 // (len(piece) + len(joined) + 4))]
    return joined.join(pieces)


COSTLY = {
    "comparisons": wide("snr>{k}"),
    "computed numbers": wide("ra*{k}>1"),
    "whole numbers": wide("alertId*{k}>1"),
    "powers": wide("snr^{k}>1"),
    "a list": f"snr IN ({wide('{k}', ',')})",
    "a computed list": f"snr IN ({wide('ra+{k}', ',')})",
    "largest of many": f"greatest({wide('snr+{k}', ',')}) > 1",
    "distances": wide("angular_distance(ra,dec,{k},1)<1"),
    "patterns": wide("origin LIKE '%{k}%a%b%c%d%e%f%g%h%i%j%k%l%m%n%o%p%q%r%s%t%u%v%w%x%y%z'"),
    "patterns of any letters": wide("origin ILIKE '" + "_%" * 90 + "{k}'"),
    "casts of texts": wide("CAST(className AS DOUBLE)>{k}"),
    "branches": wide("CASE " + "WHEN snr>{k} THEN {k} " * 50 + "END>3"),
    "brackets": " OR ".join(["(" * 15 + f"snr+{k}" + "*snr+1)" * 15 + " > 1" for k in range(100)]),
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY.keys())
def test_what_is_costly_has_a_bound(text: str, annotation_columns: pa.Schema) -> None:
    began, rows = time.process_time(), 192
    checked = check_condition(text, annotation_columns)
    assert checked.term is not None, checked.problems
    table = pa.table(
        {
            "snr": np.linspace(-5, 100, rows),
            "ra": np.linspace(0, 359, rows),
            "dec": np.linspace(-90, 90, rows),
            "alertId": np.arange(rows),
            "className": ["SN Ia"] * rows,
            "origin": ["a" * 200] * rows,
        }
    )
    good = check_condition("snr > 3", annotation_columns).term
    assert good is not None
    matches = evaluate([Filter("evil", "me", text, checked.term), Filter("good", "me", "", good)], table)
    assert matches.errors == {}
    assert matches.table["good"].to_pylist() == [snr > 3 for snr in table["snr"].to_pylist()]
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4e6  # kB


# Files.


def read(folder: Path, text: str, schema: pa.Schema) -> FilterRead:
    (folder / "f.yaml").write_text(text)
    return read_file(folder / "f.yaml", schema)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"

YAML = {
    "aliases that double": (BOMB, "YAML aliases (*name) aren't used here"),
    "merged keys": (HEAD + "x: &x {a: 1}\n<<: *x\ncondition: snr > 3\n", "YAML aliases"),
    "an object of Python": (HEAD + "condition: !!python/object/apply:os.system ['id']\n", "not YAML"),
    "a tag": (HEAD + "condition: !include /etc/passwd\n", "not YAML"),
    "brackets": ("[" * 100_000, "nested too deeply"),
    "mappings": ("{a: " * 50_000, "nested too deeply"),
    "a key twice": (HEAD + "condition: FALSE\ncondition: TRUE\n", "not YAML"),
    "many documents": (GOOD + "---\n" + GOOD, "not YAML"),
    "a name that climbs": (GOOD.replace("good", "../../x"), "becomes the name of a folder"),
    "a long name": (GOOD.replace("good", "x" * 100_000), "becomes the name of a folder"),
    "many regions": (GOOD + f"regions: {[{'cone': {'ra': 1, 'dec': 2, 'radius': 3}}] * 1001}\n", "at most 1000"),
    "many corners": (
        GOOD + f"regions: [{{polygon: {[[k / 100, k / 100] for k in range(1001)]}}}]\n",
        "at most 1000",
    ),
    "many MOCs": (GOOD + f"regions: {[{'moc': 'sky.json'}] * 11}\n", "regions: at most 10 of them are MOCs"),
    "no number": (GOOD + "regions: [{cone: {ra: .nan, dec: 1, radius: .inf}}]\n", "regions[0].cone.ra"),
    "a file without end of characters": ("x" * 250_001, "bytes long"),
}


@pytest.mark.parametrize(("text", "message"), YAML.values(), ids=YAML.keys())
def test_files_that_mean_harm(text: str, message: str, tmp_path: Path, annotation_columns: pa.Schema) -> None:
    began = time.process_time()
    found = read(tmp_path, text, annotation_columns)
    assert found.filter is None
    assert any(message in str(finding) for finding in found.findings), found.findings
    assert time.process_time() - began < 10


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no room: it is one hole


def folder(path: Path) -> None:
    path.mkdir()


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [pipe, device, huge, folder, listening])
def test_what_is_no_file_is_not_waited_for(
    make: Callable[[Path], None], tmp_path: Path, annotation_columns: pa.Schema
) -> None:
    make(tmp_path / "evil.yaml")
    (tmp_path / "good.yaml").write_text(GOOD)
    filters, findings = read_filters(sorted(tmp_path.glob("*.yaml")), annotation_columns)
    assert [each.name for each in filters] == ["good"]
    assert len(findings) == 1


def moc(where: str) -> str:
    return f"{GOOD}regions: [{{moc: {json.dumps(where)}}}]\n"


@pytest.mark.parametrize(
    "where",
    ["../secret.json", "/etc/passwd", "a/../../secret.json", "./../secret.json", "link.json", "linked/secret.json"],
)
def test_a_moc_lies_below_its_filter(where: str, tmp_path: Path, annotation_columns: pa.Schema) -> None:
    (tmp_path / "secret.json").write_text('{"3": [5]}')
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "link.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "mine" / "linked").symlink_to(tmp_path)
    found = read(tmp_path / "mine", moc(where), annotation_columns)
    assert found.filter is None
    assert [f.message for f in found.findings] == [f"regions[0].moc: {where} leads out of the filter's own folder"]


def test_a_moc_is_no_circle_of_links(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    (tmp_path / "sky.json").symlink_to(tmp_path / "other.json")
    (tmp_path / "other.json").symlink_to(tmp_path / "sky.json")
    for where in ("sky.json", "sky.json\x00", "s" * 5000, ""):
        found = read(tmp_path, moc(where), annotation_columns)
        assert found.filter is None
        assert found.findings[0].message.startswith("regions[0].moc: ")


def test_a_moc_may_lie_in_a_folder_or_be_a_link_to_a_neighbour(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "real.json").write_text('{"3": [5]}')
    (tmp_path / "link.json").symlink_to(Path("sky") / "real.json")
    for where in ("sky/real.json", "link.json"):
        assert read(tmp_path, moc(where), annotation_columns).filter is not None


@pytest.mark.parametrize("make", [pipe, device, huge, folder, listening])
@pytest.mark.parametrize("name", ["sky.json", "sky.fits"])
def test_a_moc_is_a_file_of_some_size(
    make: Callable[[Path], None], name: str, tmp_path: Path, annotation_columns: pa.Schema
) -> None:
    make(tmp_path / name)
    found = read(tmp_path, moc(name), annotation_columns)
    assert found.filter is None
    assert found.findings[0].message.startswith("regions[0].moc: ")


def test_what_a_moc_holds_is_not_told(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    for name in ("sky.json", "sky.fits"):
        (tmp_path / name).write_text(LINE)
        found = read(tmp_path, moc(name), annotation_columns)
        assert found.filter is None
        assert LINE not in str(found.findings)


def card(key: str, value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) and value not in ("T", "F") else str(value)
    return f"{key:<8}= {text:>20}".ljust(80)


def fits(rows: int, form: str = "1K", data: bytes = b"", **more: object) -> bytes:
    head = "".join([card("SIMPLE", "T"), card("BITPIX", 8), card("NAXIS", 0), "END".ljust(80)]).ljust(2880)
    keys = {"XTENSION": "BINTABLE", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 8, "NAXIS2": rows, "PCOUNT": 0, "GCOUNT": 1}
    keys |= {"TFIELDS": 1, "TFORM1": form, "MOCVERS": "2.0", "MOCDIM": "SPACE", "ORDERING": "RANGE", "MOCORD_S": 29}
    table = "".join(card(key, value) for key, value in {**keys, **more}.items()) + "END".ljust(80)
    return f"{head}{table.ljust(blocks(table))}".encode() + data.ljust(blocks(data), b"\0")


def blocks(part: str | bytes) -> int:
    """Bytes of the blocks that it fills."""
    return -(-len(part) // 2880) * 2880


def pairs(*numbers: int) -> bytes:
    return np.array(numbers, dtype=">i8").tobytes()


MOCS = {
    "rows without end": ("fits", fits(2**40), "its table has 8,796,093,022,208 bytes"),
    "more rows than a number holds": ("fits", fits(10**18), "its table has"),
    "fewer than no rows": ("fits", fits(-5), "its table has"),
    "a wide column": ("fits", fits(1000, "1000000000K"), "isn't one column of whole numbers"),
    "a column of lists": ("fits", fits(10, "1PK(100000000)"), "isn't one column of whole numbers"),
    "real numbers": ("fits", fits(2, "1D", pairs(0, 4)), "isn't one column of whole numbers"),
    "scaled numbers": ("fits", fits(2, data=pairs(0, 4), TSCAL1=2.5), "its numbers are scaled"),
    "below zero": ("fits", fits(2, data=pairs(-4, 4)), "a negative cell"),
    "backwards": ("fits", fits(2, data=pairs(9, 4)), "a range that isn't one"),
    "half a range": ("fits", fits(3, data=pairs(0, 4, 9)), "a range that isn't one"),
    "beyond the sky": ("fits", fits(2, data=pairs(0, 2**62)), "a range that isn't one"),
    "another ordering": ("fits", fits(2, data=pairs(0, 4), ORDERING="NESTED"), "in the ordering 'NESTED'"),
    "a number of no cell": ("fits", fits(1, data=pairs(3), ORDERING="NUNIQ"), "a number of no cell"),
    "time": ("fits", fits(2, data=pairs(0, 4), MOCDIM="TIME"), "isn't one of space alone"),
    "no table": ("fits", fits(0)[:2880], "it has no table"),
    "packed": ("fits", b"\x1f\x8b" + b"x" * 5000, "it doesn't begin as one"),
    "empty": ("fits", fits(0), "covers nothing"),
    "brackets": ("json", b"[" * 1_000_000, "isn't a MOC in JSON format"),
    "a list": ("json", b"[1, 2]", "isn't a mapping"),
    "an order too deep": ("json", b'{"99": [1]}', "there is no order 99"),
    "an order of many digits": ("json", b'{"' + b"9" * 5000 + b'": [1]}', "isn't a MOC in JSON format"),
    "a cell too many": ("json", b'{"0": [12]}', "order 0 has no such cell: 12"),
    "a cell below zero": ("json", b'{"3": [-1]}', "order 3 has no such cell: -1"),
    "half a cell": ("json", b'{"3": [0.5]}', "order 3 has no such cell: 0.5"),
    "true": ("json", b'{"3": [true]}', "order 3 has no such cell: True"),
    "a large number": ("json", b'{"3": [' + b"9" * 4000 + b"]}", "order 3 has no such cell: 999"),
    "lists in a list": ("json", b'{"3": [[1, 2], [3, 4]]}', "order 3 has no such cell"),
    "no text": ("json", b"\xff\xfe{", "isn't a MOC in JSON format"),
    "no cell": ("json", b'{"3": []}', "covers nothing"),
    "too many bytes": ("json", b" " * (MAX_BYTES + 1), "has more than 4,194,304 bytes"),
}


@pytest.mark.parametrize(("kind", "content", "message"), MOCS.values(), ids=MOCS.keys())
def test_mocs_that_mean_harm(kind: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / f"sky.{kind}").write_bytes(content)
    with pytest.raises(ValueError, match=r"sky\.") as caught:
        read_ranges(tmp_path / f"sky.{kind}")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_ranges_are_put_in_order_and_joined(tmp_path: Path) -> None:
    (tmp_path / "sky.fits").write_bytes(fits(8, data=pairs(40, 50, 0, 4, 4, 8, 45, 60)))
    assert read_ranges(tmp_path / "sky.fits").tolist() == [[0, 8], [40, 60]]
    (tmp_path / "uniq.fits").write_bytes(fits(3, data=pairs(4 * 4**29 + 7, 4 * 4**29 + 6, 4), ORDERING="NUNIQ"))
    assert read_ranges(tmp_path / "uniq.fits").tolist() == [[0, 4**29]]


def test_a_stream_goes_on_with_its_good_filters(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    watch = FilterWatch.start(tmp_path, annotation_columns)
    (tmp_path / "bomb.yaml").write_text(BOMB)
    (tmp_path / "long.yaml").write_text(HEAD + "condition: " + "(" * 90_000 + "\n")
    pipe(tmp_path / "pipe.yaml")
    huge(tmp_path / "huge.yaml")
    (tmp_path / "climbs.yaml").write_text(moc("/dev/zero").replace("good", "climbs"))
    change = watch.refresh()
    assert change is not None
    assert [each.name for each in watch.filters] == ["good"]
    assert len({finding.file for finding in change.findings}) == 5


GUARDED = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append((event, str(args[0]))) if event in (
    "open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "exec", "compile"
) and watching else None)
watching = False
import pyarrow as pa
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from schemas.annotation import annotation_schema
schema = annotation_schema([], [])
text = "snr > 3 AND className LIKE 'SN%' AND flux_max_within(30, 'g') > 1 OR CASE WHEN isDipole THEN 1 END = 1"
table = pa.Table.from_pylist([{"survey": "lsst"}], schema=pa.schema([f.with_nullable(True) for f in schema]))
def once():
    term = check_condition(text, schema).term
    return evaluate([Filter("f", "me", text, term)], table).errors
once()
from broker.filters.evaluate import _program
_program.cache_clear()
watching = True
print(once(), opened)
"""


def test_evaluating_opens_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "{} []\n"
