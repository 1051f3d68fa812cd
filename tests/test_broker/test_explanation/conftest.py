"""A bundle that keeps known objects, and real alerts that it classified."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from broker.pipeline import process
from classifiers.bundle import Bundle, save
from classifiers.neighbours import fit_neighbours
from schemas.packets import packets
from schemas.registry import BundledRegistry
from training.known import known_objects
from training.sources import published_sources


@pytest.fixture(scope="session")
def knowing(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped bundle with the published objects that it was fitted on beside it."""
    path = tmp_path_factory.mktemp("knowing")
    for name in bundle.manifest.files:
        shutil.copyfile(bundle.path / name, path / name)
    member = bundle.members[[entry.kind for entry in bundle.manifest.members].index("recurrent")]
    fit_neighbours(known_objects(published_sources(1), member), bundle.novelty, 1).save(path / "neighbours.npz")
    manifest = bundle.manifest.model_dump(mode="json", exclude={"format_version", "files"})
    files = tuple({*bundle.manifest.files, "neighbours.npz"})
    save(path, {**manifest, "neighbours": {"file": "neighbours.npz"}}, files)
    return Bundle.load(path)


@pytest.fixture(scope="session")
def annotations(knowing: Bundle, sample_packets: list[tuple[str, bytes]], registry: BundledRegistry) -> pa.Table:
    return process(packets(sample_packets), registry, knowing).annotations


@pytest.fixture(scope="session")
def packet_dir(data_dir: Path) -> Path:
    return data_dir / "packets"
