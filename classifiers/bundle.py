"""A model bundle: a directory of weights and a manifest that says what they are; checked when it is loaded."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from classifiers.manifest import FORMAT_VERSION, Manifest, MemberEntry
from classifiers.member import Member
from classifiers.members import discover
from classifiers.neighbours import Neighbours
from classifiers.novelty import Novelty
from classifiers.taxonomy import ClassNode

MANIFEST = "manifest.json"
DEFAULT_NAME = "first"
RESTORE = "restore the bundle from where it came, or fit it again with `boreal-train shipped`"

Part = TypeVar("Part")


class BundleError(ValueError):
    """A bundle that can't be used; says what was expected, what was found and what to do."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle in memory, ready to classify; equal to itself alone, so that what follows from it can be cached.

    Parameters
    ----------
    path : the directory it came from.
    manifest : what it says about itself.
    members : the loaded members, in the manifest's order.
    novelty : the novelty score; None in a bundle without the member that it reads.
    """

    path: Path
    manifest: Manifest
    members: tuple[Member, ...]
    novelty: Novelty | None

    @classmethod
    def load(cls, path: Path | str) -> "Bundle":
        """Read a bundle and check all of it.

        Raises
        ------
        BundleError
            If a file is missing or isn't the one that was saved, the manifest can't be read, or it names a format
            version, kind of member, class or feature that this version of Boreal doesn't have.
        """
        path = Path(path)
        manifest = check_bundle(path)
        members = tuple(_load_member(path, manifest, entry) for entry in manifest.members)
        return cls(path, manifest, members, _load_novelty(path, manifest))

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.manifest.version

    @property
    def classes(self) -> tuple[ClassNode, ...]:
        """The classes in the order of the probability columns."""
        return self.manifest.class_nodes

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The feature columns it reads, in its order."""
        return self.manifest.features

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """Known objects to compare alerts with, read when they are first asked for; None in a bundle without them.

        Raises
        ------
        BundleError
            If their file can't be used.
        """
        entry = self.manifest.neighbours
        return _part(self.path, entry.file, lambda: Neighbours.load(self.path / entry.file)) if entry else None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the bundle; see `bundle_sha256`."""
        return bundle_sha256(self.manifest)


def check_bundle(path: Path) -> Manifest:
    """Check a bundle's manifest and files without loading its models, which takes seconds; give the manifest.

    Raises
    ------
    BundleError
        As `Bundle.load`, but for files that are what was saved and still can't be loaded.
    """
    manifest = read_manifest(path)
    _check_features(path, manifest)
    _check_files(path, manifest)
    _check_latent(path, manifest)
    return manifest


def bundle_sha256(manifest: Manifest) -> str:
    """SHA-256 of the manifest in canonical JSON (keys sorted, no spaces), which holds the SHA-256 of each file."""
    canonical = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save(path: Path, manifest: Mapping[str, Any], files: tuple[str, ...]) -> Manifest:
    """Write manifest.json beside weights that are there already.

    Parameters
    ----------
    path : the bundle's directory.
    manifest : all of the manifest but `format_version` and `files`.
    files : names of the weight files in it.

    Raises
    ------
    BundleError
        If the manifest isn't one that `Bundle.load` would take, or a file isn't there.
    """
    missing = [name for name in files if not (path / name).is_file()]
    if missing:
        raise BundleError(f"{path} has no {', '.join(missing)}; write the weights before the manifest")
    hashes = {name: file_sha256(path / name) for name in sorted(files)}
    checked = _validate(path, {**manifest, "format_version": FORMAT_VERSION, "files": hashes})
    (path / MANIFEST).write_text(json.dumps(checked.model_dump(mode="json"), indent=1) + "\n")
    return checked


def default_bundle_path() -> Path:
    """The bundle that ships with Boreal."""
    return Path(__file__).parent / "bundles" / DEFAULT_NAME


def read_manifest(path: Path) -> Manifest:
    """Read and check a bundle's manifest, without its weights.

    Raises
    ------
    BundleError
        If it is missing or isn't a manifest of this format.
    """
    file = path / MANIFEST
    if not path.is_dir():
        raise BundleError(
            f"expected a bundle directory at {path}, found {'a file' if path.exists() else 'nothing'}; "
            "give the directory that holds manifest.json"
        )
    if not file.is_file():
        raise BundleError(f"expected {MANIFEST} in {path}, found none; give the directory of a bundle, or {RESTORE}")
    try:
        content = json.loads(file.read_text())
    except ValueError as error:
        raise BundleError(f"expected JSON in {file}, found something else ({error}); {RESTORE}") from error
    return _validate(path, content)


def _validate(path: Path, content: Any) -> Manifest:
    found = content.get("format_version") if isinstance(content, dict) else None
    if found != FORMAT_VERSION:
        raise BundleError(
            f"{path / MANIFEST}: expected format version {FORMAT_VERSION}, found {found}; "
            "use the version of Boreal that wrote this bundle, or fit it again"
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors())
        raise BundleError(
            f"{path / MANIFEST}: expected a bundle's manifest, found errors: {found}; {RESTORE}"
        ) from error


def _check_features(path: Path, manifest: Manifest) -> None:
    from features.extract import catalogue

    unknown = sorted(set(manifest.features) - {feature.name for feature in catalogue()})
    if unknown:
        raise BundleError(
            f"{path / MANIFEST}: expected features of this version, found unknown {', '.join(unknown)}; "
            "use the version of Boreal that wrote this bundle (`boreal features list` shows what there is)"
        )


def _check_files(path: Path, manifest: Manifest) -> None:
    for name, expected in manifest.files.items():
        if not (path / name).is_file():
            raise BundleError(f"expected the file {name} in {path}, found none; {RESTORE}")
        found = file_sha256(path / name)
        if found != expected:
            raise BundleError(f"{path / name}: expected SHA-256 {expected}, found {found}: it was changed; {RESTORE}")


def _check_latent(path: Path, manifest: Manifest) -> None:
    if manifest.novelty is None:
        return
    kind = manifest.members[manifest.novelty.member].kind
    kinds = discover()
    if kind in kinds and not kinds[kind].has_latent:
        raise BundleError(
            f"{path / MANIFEST}: expected novelty to read a member that has a latent, found member "
            f"{manifest.novelty.member}, of kind {kind!r}; give the place of the right one among the members, or null "
            "for no novelty"
        )


def _load_novelty(path: Path, manifest: Manifest) -> Novelty | None:
    if manifest.novelty is None:
        return None
    file = manifest.novelty.file
    return _part(path, file, lambda: Novelty.load(path / file))


def _load_member(path: Path, manifest: Manifest, entry: MemberEntry) -> Member:
    kinds = discover()
    if entry.kind not in kinds:
        raise BundleError(
            f"{path / MANIFEST}: expected a member of kind {' or '.join(sorted(kinds))}, found {entry.kind!r}; "
            "use the version of Boreal that wrote this bundle"
        )
    settings = {**entry.settings, "n_features": len(manifest.features), "n_classes": len(manifest.classes)}
    return _part(path, entry.kind, lambda: kinds[entry.kind].load(path, settings))


def _part(path: Path, name: str, load: Callable[[], Part]) -> Part:
    try:
        return load()
    except Exception as error:  # each part's library raises errors of its own
        raise BundleError(
            f"{path}: expected a usable part {name!r}, found {type(error).__name__}: {error}; {RESTORE}"
        ) from error
