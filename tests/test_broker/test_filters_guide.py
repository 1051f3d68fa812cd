"""The subscriber's guide says what the code does."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from broker.filters.functions import FUNCTIONS, SPECIAL
from broker.filters.kinds import kind_of
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
    assert len(EXAMPLES) == 5


def test_the_fragments_make_a_filter(tmp_path: Path, annotation_columns: pa.Schema) -> None:
    shown = {k - 1 for k in TOLD}
    whole, block, regions, limits, outputs = (
        text for k, (kind, text) in enumerate(BLOCKS) if kind == "yaml" and k not in shown
    )
    head = whole.rsplit("condition:", 1)[0]
    (tmp_path / "footprint.fits").write_bytes(b"")
    (tmp_path / "mine.yaml").write_text(head + block + regions.replace("footprint.fits", "sky.json") + limits + outputs)
    (tmp_path / "whole.yaml").write_text(whole.replace("young", "old"))
    (tmp_path / "sky.json").write_text('{"3": [5]}')
    filters, findings = read_filters([tmp_path / "mine.yaml", tmp_path / "whole.yaml"], annotation_columns)
    assert findings == []
    assert len(filters) == 2
    assert len(filters[1].regions) == 5


def test_every_column_stands_in_the_guide_with_its_kind_and_unit() -> None:
    for column in (*IDENTITY, *MEASUREMENT, *VERDICT):
        kind = kind_of(column.type)
        assert kind is not None
        unit = column.metadata[b"unit"].decode()
        assert f"| `{column.name}` | {kind.value.removeprefix('a ')} | {unit} | " in GUIDE


def test_every_probability_stands_in_the_guide(annotation_columns: pa.Schema) -> None:
    names = [name for name in annotation_columns.names if re.match("p[A-Z]", name)]
    assert [name for name in names if f"`{name}`" not in GUIDE] == []


def test_every_function_stands_in_the_guide() -> None:
    for function in FUNCTIONS.values():
        assert f"| `{function.signature}` | {function.meaning} |" in GUIDE
    for signature, meaning in SPECIAL.values():
        assert f"| `{signature}` | {meaning} |" in GUIDE


def test_what_every_delivery_has_stands_in_the_guide() -> None:
    listed = GUIDE.split("Every delivery has")[1].split("Ids are texts")[0]
    assert [name for name in DELIVERY if f"`{name}`" not in listed] == []
