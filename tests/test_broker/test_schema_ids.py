"""The numbers of Avro messages, and the schemas that subscribers find under them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import RunFailedError
from broker.outgoing.schema_ids import id_of, local_id

AVRO = json.dumps({"type": "record", "name": "r", "fields": []})
OTHER = AVRO.replace('"r"', '"s"')


class Registry:
    """Gives numbers from 100 on, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.down = False

    def __call__(self, subject: str, avro: str) -> int:
        if self.down:
            raise RunFailedError("down")
        self.asked[subject, avro] += 1
        return 100 + list(self.asked).index((subject, avro))


@given(st.text(), st.text())
def test_a_made_number_depends_on_the_schema_alone_and_fits_the_header(one: str, other: str) -> None:
    assert 0 <= local_id(one) < 2**31
    assert (local_id(one) == local_id(other)) == (one == other)


def test_a_made_number_is_the_same_for_ever() -> None:
    assert local_id("") == 0x63B0C442  # SHA-256 of nothing begins with e3b0c442


def test_schemas_lie_under_their_numbers_whoever_gave_them(tmp_path: Path) -> None:
    number = id_of(tmp_path, None)("topic", AVRO)
    given_number = id_of(tmp_path, Registry())("topic", OTHER)
    assert (number, given_number) == (local_id(AVRO), 100)
    assert (tmp_path / f"{number}.avsc").read_text() == AVRO + "\n"
    assert (tmp_path / "100.avsc").read_text() == OTHER + "\n"


def test_the_subject_is_that_of_the_topic_s_values(tmp_path: Path) -> None:
    registry = Registry()
    number = id_of(tmp_path, registry)
    assert [number("a", AVRO), number("b", AVRO), number("a", OTHER)] == [100, 101, 102]
    assert list(registry.asked) == [("a-value", AVRO), ("b-value", AVRO), ("a-value", OTHER)]


def test_a_number_that_was_given_is_kept_so_that_a_registry_may_be_down(tmp_path: Path) -> None:
    registry = Registry()
    assert [id_of(tmp_path, registry)("a", AVRO) for _ in range(3)] == [100] * 3
    assert registry.asked.total() == 1
    registry.down = True
    assert id_of(tmp_path, registry)("a", AVRO) == 100
    with pytest.raises(RunFailedError):
        id_of(tmp_path, registry)("a", OTHER)
    assert id_of(tmp_path, registry)("a", AVRO) == 100


def test_a_schema_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / f"{local_id(AVRO)}.avsc").write_text("kept")
    id_of(tmp_path, None)("a", AVRO)
    assert (tmp_path / f"{local_id(AVRO)}.avsc").read_text() == "kept"
