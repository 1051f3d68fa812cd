"""What is reprocessed: nightly tarballs, a plain one, a directory and a table, of the packets of `benchmarks/chaos`."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.killing.packets import Flow

NIGHT = 0.35
"""Part of the packets in each of two compressed tarballs; the rest goes, in three parts, to the others."""


def write_archives(folder: Path, flow: Flow, directory: Path, seed: int) -> None:
    """Write the packets of a flow into archives of every kind.

    Parameters
    ----------
    folder : gets the archives.
    flow : how many packets, and how many of them corrupt and repeated.
    directory : the packets that they are made of.
    seed : decides them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packets, night = flow.payloads(directory, seed), round(flow.packets * NIGHT)
    rest = (flow.packets - 2 * night) // 3
    for name in ("ztf_public_20250101.tar.gz", "ztf_public_20250102.tar.gz"):
        _write_tar(folder / name, islice(packets, night))
    _write_tar(folder / "plain.tar", islice(packets, rest))
    for number, payload in enumerate(islice(packets, rest)):
        to = folder / "loose" / f"{number // 500}" / f"{number}.avro"
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(payload)
    table = pa.table({"payload": pa.array(packets, pa.large_binary())})
    pq.write_table(table, folder / "packets.parquet", row_group_size=700)


def _write_tar(path: Path, packets: Iterator[bytes]) -> None:
    opened = gzip.open(path, "wb", 1) if path.suffix == ".gz" else path.open("wb")  # noqa: SIM115  # entered below
    with opened as file, tarfile.open(fileobj=file, mode="w") as archive:
        for number, payload in enumerate(packets):
            info = tarfile.TarInfo(f"{number}.avro")
            info.size = len(payload)
            archive.addfile(info, io.BytesIO(payload))
