"""Objects to fit and to test on, as files: what was simulated or copied once isn't made again."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather

from schemas.alerts import AlertBatch
from training.examples import Objects
from training.parts import Parts
from training.sources import Source

_NAMES = "sources.json"


def kept_sources(
    parts: Parts, follows_from: Iterable[object], make: Callable[[], Sequence[Source]]
) -> tuple[Source, ...]:
    """The sources that `make` gives, or gave for the same `follows_from`."""

    def write(folder: Path) -> None:
        found = make()
        for k, source in enumerate(found):
            _write(source.fit, folder / f"{k}-fit.arrow")
            _write(source.test, folder / f"{k}-test.arrow")
        (folder / _NAMES).write_text(json.dumps([[source.name, source.licence] for source in found]))

    folder = parts.keep("objects", follows_from, write)
    return tuple(
        Source(name, licence, _read(folder / f"{k}-fit.arrow"), _read(folder / f"{k}-test.arrow"))
        for k, (name, licence) in enumerate(json.loads((folder / _NAMES).read_text()))
    )


def _write(objects: Objects, path: Path) -> None:
    table = objects.alerts.table
    for name, column in (("label", objects.labels), ("parent", objects.parents)):
        table = table.append_column(name, pa.array(column))
    feather.write_feather(table, str(path), compression="lz4")


def _read(path: Path) -> Objects:
    table = feather.read_table(str(path), memory_map=False)
    labels, parents = (table[name].to_numpy().astype(np.int64) for name in ("label", "parent"))
    return Objects(AlertBatch(table.drop_columns(["label", "parent"]).combine_chunks()), labels, parents)
