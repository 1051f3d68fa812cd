"""Second bundles, made of the one that ships: no weights are added to the repository."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from broker.pipeline import Outcome
from classifiers.bundle import Bundle

MakeBundle = Callable[..., Path]


@pytest.fixture(scope="session")
def curves_only(make_bundle: MakeBundle, bundle: Bundle) -> Path:
    """The recurrent member alone, which reads no feature; one is named, since a bundle has some."""
    (member,) = [entry.model_dump(mode="json") for entry in bundle.manifest.members if entry.kind == "recurrent"]
    novelty = {"file": bundle.manifest.novelty.file, "member": 0}
    return make_bundle(name="curves-only", version="1", members=[member], features=["flux_max_g"], novelty=novelty)


@pytest.fixture(scope="session")
def annotations(outcomes: list[Outcome]) -> pa.Table:
    """The annotations of all real packets, one of them twice."""
    return pa.concat_tables([outcome.annotations for outcome in outcomes])
