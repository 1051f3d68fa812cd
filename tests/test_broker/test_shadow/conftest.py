"""Second bundles, made of the one that ships: no weights are added to the repository."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from broker.pipeline import Outcome
from classifiers.bundle import Bundle, save

MakeBundle = Callable[..., Path]


@pytest.fixture(scope="session")
def make_bundle(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> MakeBundle:
    """Write a bundle with the shipped one's files and these entries of the manifest; give its directory."""

    def make(**changes: Any) -> Path:
        path = tmp_path_factory.mktemp("bundle")
        manifest = {**bundle.manifest.model_dump(mode="json"), **changes}
        files = {manifest["novelty"]["file"], *(file for member in manifest["members"] for file in member["files"])}
        for name in files:
            shutil.copyfile(bundle.path / name, path / name)
        given = {key: value for key, value in manifest.items() if key not in ("format_version", "files")}
        save(path, given, tuple(sorted(files)))
        return path

    return make


@pytest.fixture(scope="session")
def candidate(make_bundle: MakeBundle, bundle: Bundle) -> Path:
    """The same members, weighed and calibrated otherwise."""
    members = [entry.model_dump(mode="json") for entry in bundle.manifest.members]
    for entry, weight in zip(members, (0.2, 0.8), strict=True):
        entry["weight"] = weight
    calibration = {"days": [2.0, 8.0, 32.0, 128.0], "temperatures": [1.4, 1.3, 1.2, 1.1, 1.1]}
    return make_bundle(name="second", version="2", members=members, calibration=calibration)


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
