"""Fixtures of the broker's tests: the example filters, processed real packets, annotation columns."""

from pathlib import Path

import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.filters.definition import Filter, load_filters
from broker.pipeline import Outcome, process
from classifiers.bundle import Bundle
from classifiers.taxonomy import TAXONOMY
from schemas.annotation import annotation_schema, column
from schemas.packets import packets
from schemas.registry import BundledRegistry


@pytest.fixture(scope="session")
def filters(examples_dir: Path, bundle: Bundle) -> tuple[Filter, ...]:
    return load_filters(examples_dir / "filters", schema_for(bundle.manifest))


@pytest.fixture(scope="session")
def outcomes(
    sample_packets: list[tuple[str, bytes]], registry: BundledRegistry, bundle: Bundle, filters: tuple[Filter, ...]
) -> list[Outcome]:
    """Three micro-batches of real packets; the last repeats one of the first and holds two broken ones."""
    third = [*sample_packets[20:], sample_packets[3], ("broken/empty", b""), ("broken/noise", b"\x01noise")]
    batches = [sample_packets[:10], sample_packets[10:20], third]
    return [process(packets(batch), registry, bundle, filters) for batch in batches]


@pytest.fixture(scope="session")
def annotation_columns() -> pa.Schema:
    """The annotation columns of a bundle that knows every class and has two features."""
    classes = [column(node.column, pa.float64(), "", node.name) for node in TAXONOMY if node.column]
    features = [column(name, pa.float32(), "nJy", "largest flux") for name in ("flux_max_g", "flux_max_r")]
    return annotation_schema(classes, features)
