"""Alerts of made-up visits, as annotation tables hold them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker._derive import night_of

COLUMNS = pa.schema(
    [
        pa.field("survey", pa.utf8()), pa.field("visit", pa.int64()), pa.field("detector", pa.int32()),
        pa.field("mjdTai", pa.float64()), pa.field("band", pa.utf8()), pa.field("kafkaTimestamp", pa.int64()),
    ]
)  # fmt: skip

EXPOSED = 61109.2 + 37 / 86_400
"""MJD TAI of the first visit; the others follow every 40 s."""

SHUT = (61109.2 - 40587) * 86_400_000
"""The same [ms since 1970, UTC]."""


def _alert(visit: int | None, detector: int, came: float | None, **more: Any) -> dict[str, Any]:
    """An alert of a visit (from 1 on), with Kafka's time stamp so many seconds after the observation."""
    number = visit or 1
    mjd = EXPOSED + 40 * (number - 1) / 86_400
    stamp = None if came is None else round(SHUT + 40_000 * (number - 1) + came * 1000)
    given = {"survey": "lsst", "visit": visit, "detector": detector, "mjdTai": mjd, "band": "r"}
    return {**given, "kafkaTimestamp": stamp, **more}


@pytest.fixture(scope="session")
def alert() -> Callable[..., dict[str, Any]]:
    return _alert


@pytest.fixture(scope="session")
def table_of() -> Callable[[Iterable[dict[str, Any]]], pa.Table]:
    return lambda alerts: pa.Table.from_pylist(list(alerts), schema=COLUMNS)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Sequence[pa.Table]], Path]:
    """Write tables as a run of plain Parquet does, a file each and night; give the directory."""

    def written(tables: Sequence[pa.Table]) -> Path:
        for number, table in enumerate(tables):
            nights = night_of(np.asarray(table["mjdTai"]))
            for night in np.unique(nights):
                folder = tmp_path / "run" / "annotations" / f"night={night}"
                folder.mkdir(parents=True, exist_ok=True)
                pq.write_table(table.filter(pa.array(nights == night)), folder / f"part-0123abcd-{number:08d}.parquet")
        return tmp_path / "run"

    return written
