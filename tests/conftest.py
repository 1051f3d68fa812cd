"""Fixtures that the tests of more than one package use."""

from pathlib import Path

import pytest

from schemas.registry import BundledRegistry

DATA = Path(__file__).parent / "data"
PACKETS = DATA / "packets"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of sample data; what is in it, and where from: its README.md."""
    return DATA


@pytest.fixture(scope="session")
def registry() -> BundledRegistry:
    return BundledRegistry()


@pytest.fixture(scope="session")
def sample_packets() -> list[tuple[str, bytes]]:
    """Every real packet that ships, as pairs of origin (``lsst/v10_0_1.avro``) and bytes, by origin."""
    return [(str(path.relative_to(PACKETS)), path.read_bytes()) for path in sorted(PACKETS.glob("*/*.avro"))]


@pytest.fixture(scope="session")
def lsst_packets(sample_packets: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The real LSST packets: schemas 7.4, 9.0 and 10.0 in the wire format."""
    return [pair for pair in sample_packets if pair[0].startswith("lsst/")]


@pytest.fixture(scope="session")
def ztf_packets(sample_packets: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The real ZTF packets: schemas 3.2 and 4.02 in object containers."""
    return [pair for pair in sample_packets if pair[0].startswith("ztf/")]
