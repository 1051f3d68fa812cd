"""The manifests of the bundles that were compared, kept beside the results: the bundles may be gone by then."""

import shutil
from pathlib import Path

from broker._atomic import replacing
from broker.run_directory import RunDirectory
from classifiers.bundle import MANIFEST, BundleError, bundle_sha256, read_manifest
from classifiers.manifest import Manifest


def keep(run: RunDirectory, *bundles: Path) -> None:
    """Copy the manifests of these bundles into the run's directory."""
    for bundle in bundles:
        with replacing(folder_of(run, bundle_sha256(read_manifest(bundle))) / MANIFEST) as path:
            shutil.copyfile(bundle / MANIFEST, path)


def kept(run: RunDirectory, sha256: str) -> Manifest | None:
    """The manifest of a bundle that was compared; None where it isn't kept, or isn't what it was.

    Parameters
    ----------
    run : the run's directory.
    sha256 : the bundle's hash, or its first 12 digits.
    """
    try:
        found = read_manifest(folder_of(run, sha256))
    except BundleError:
        return None
    return found if bundle_sha256(found).startswith(sha256) else None


def folder_of(run: RunDirectory, sha256: str) -> Path:
    """Where a bundle's manifest is kept."""
    return run.shadow / "bundles" / sha256[:12]
