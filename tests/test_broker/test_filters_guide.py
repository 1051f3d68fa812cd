"""The subscriber's guide says what the code does."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from broker.commands import filter as command
from broker.filters import nulls
from broker.filters._file import FilterFile
from broker.filters.functions import FUNCTIONS, SPECIAL
from broker.filters.kinds import kind_of
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.read import read_filters
from broker.findings import report
from schemas.annotation import IDENTITY, MEASUREMENT, VERDICT
from schemas.delivery import DELIVERY

GUIDE = (Path(__file__).parents[2] / "docs" / "subscribers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
TOLD = [k for k, (_, text) in enumerate(BLOCKS) if text.startswith("mine.yaml:")]
EXAMPLES = [(BLOCKS[k - 1][1], BLOCKS[k][1].rstrip()) for k in TOLD]


@pytest.mark.parametrize(("text", "told"), EXAMPLES)
def test_what_is_told_is_what_the_guide_shows(
    text: str, told: str, tmp_path: Path, annotation_columns: pa.Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text)
    _, findings = read_filters([Path("mine.yaml")], annotation_columns)
    assert report(findings) == told


def test_there_are_such_examples() -> None:
    assert len(EXAMPLES) == 6


def test_the_fragments_make_a_filter(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    shown = {k - 1 for k in TOLD}
    whole, block, values, regions, limits, outputs = (
        text for k, (kind, text) in enumerate(BLOCKS) if kind == "yaml" and k not in shown
    )
    head = whole.rsplit("condition:", 1)[0]
    (tmp_path / "footprint.fits").write_bytes(b"")
    (tmp_path / "mine.yaml").write_text(head + block + regions.replace("footprint.fits", "sky.json") + limits + outputs)
    (tmp_path / "whole.yaml").write_text(whole.replace("young", "old"))
    (tmp_path / "values.yaml").write_text(head.replace("young", "rising") + values)
    (tmp_path / "sky.json").write_text('{"3": [5]}')
    files = [tmp_path / f"{name}.yaml" for name in ("mine", "whole", "values")]
    filters, findings = read_filters(files, annotation_columns)
    assert findings == []
    assert [len(each.regions) for each in filters] == [0, 0, 5]
    assert [len(each.values) for each in filters] == [0, 4, 0]


def test_what_is_explained_is_what_the_guide_shows(tmp_path: Path, data_dir: Path) -> None:
    (told,) = (text for _, text in BLOCKS if text.startswith("lsst alert"))
    (values,) = (text for kind, text in BLOCKS if kind == "yaml" and text.startswith("values:"))
    regions = re.search(r"with `(regions: .*?)`:", GUIDE)
    assert regions is not None
    (tmp_path / "f.yaml").write_text(f"name: rising\nowner: you@example.org\n{values}{regions[1]}\n")
    packet = data_dir / "packets" / "lsst" / f"v10_0_{told.split()[2]}.avro"
    done = CliRunner().invoke(
        command.app, ["explain", str(tmp_path / "f.yaml"), "--alert", str(packet)], env={"COLUMNS": "80"}
    )
    assert done.stdout == told


def test_every_column_stands_in_the_guide_with_its_kind_and_unit() -> None:
    for column in (*IDENTITY, *MEASUREMENT, *VERDICT):
        kind = kind_of(column.type)
        assert kind is not None
        unit = column.metadata[b"unit"].decode()
        assert f"| `{column.name}` | {kind.value.removeprefix('a ')} | {unit} | " in GUIDE


def test_every_probability_stands_in_the_guide(annotation_columns: pa.Schema) -> None:
    names = [name for name in annotation_columns.names if re.match("p[A-Z]", name)]
    assert [name for name in names if f"`{name}`" not in GUIDE] == []


def test_every_key_stands_in_the_guide() -> None:
    assert [name for name in FilterFile.model_fields if f"| `{name}` | " not in GUIDE] == []


def test_how_many_alerts_nulls_were_counted_in_stands_in_the_guide() -> None:
    counts = {survey: each.alerts for survey, each in nulls.shipped().items()}
    told = f"{counts['lsst']:,} LSST, {counts['ztf']:,} ZTF and {counts['elasticc']:,} ELAsTiCC alerts"
    assert told in GUIDE


def test_every_function_stands_in_the_guide() -> None:
    for function in (*FUNCTIONS.values(), *LIGHT_CURVE_FUNCTIONS.values()):
        assert f"| `{function.signature}` | {function.meaning} |" in GUIDE
    for signature, meaning in SPECIAL.values():
        assert f"| `{signature}` | {meaning} |" in GUIDE


def test_what_every_delivery_has_stands_in_the_guide() -> None:
    listed = GUIDE.split("Every delivery has")[1].split("Ids are texts")[0]
    assert [name for name in DELIVERY if f"`{name}`" not in listed] == []
