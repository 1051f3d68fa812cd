"""A bundle with a member taken out of its ensemble: for a member that fails, or to see what it is worth."""

import shutil
from pathlib import Path
from typing import Any

from classifiers.bundle import BundleError, check_bundle, save
from classifiers.manifest import Manifest, MemberEntry

Content = dict[str, Any]


def write_without(path: Path, kind: str, out: Path) -> Manifest:
    """Write a bundle beside another one, with all of its members but those of one kind; give its manifest.

    The weights of the others are scaled to 1 in all. The calibration stays, though it was fitted for the whole one;
    scores don't. Without the member whose latent the novelty score reads, the new bundle has no novelty and
    no known objects to compare alerts with.

    Parameters
    ----------
    path : the bundle's directory.
    kind : of the member that goes.
    out : the new bundle's directory; it must not exist, or be empty.

    Raises
    ------
    BundleError
        If the bundle can't be used, has no such member, no other with a weight, or `out` holds something.
    """
    manifest = check_bundle(path)
    content = without_member(manifest, kind)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BundleError(f"expected no directory at {out}, or an empty one, found something in it; give another one")
    out.mkdir(parents=True, exist_ok=True)
    files = tuple(sorted(_files(content)))
    for name in files:
        shutil.copyfile(path / name, out / name)
    return save(out, content, files)


def without_member(manifest: Manifest, kind: str) -> Content:
    """The manifest without the members of a kind, as `classifiers.bundle.save` takes it.

    Raises
    ------
    BundleError
        If there is no such member, or no other with a weight.
    """
    places = [place for place, member in enumerate(manifest.members) if member.kind != kind]
    left = [manifest.members[place] for place in places]
    if len(left) == len(manifest.members):
        kinds = " or ".join(sorted({member.kind for member in manifest.members}))
        raise BundleError(f"expected a member of {manifest.name}: {kinds}, found {kind!r}; give one of them")
    if not sum(member.weight for member in left):
        raise BundleError(
            f"expected another member with a weight beside {kind!r} in {manifest.name}, found none; "
            "a bundle answers with one member at least"
        )
    content = manifest.model_dump(mode="json", exclude={"format_version", "files"})
    novelty = _novelty(manifest, places)
    if novelty is None:  # without a latent there is no known object to be near to
        content.pop("neighbours", None)
    return {
        **content,
        "version": f"{manifest.version}+without-{kind}",
        "members": [member.model_dump(mode="json") for member in _weighed(left)],
        "novelty": novelty,
        "removed": [*manifest.removed, kind],
        "scores": [],
    }


def _weighed(members: list[MemberEntry]) -> list[MemberEntry]:
    total = sum(member.weight for member in members)
    return [member.model_copy(update={"weight": round(member.weight / total, 6)}) for member in members]


def _novelty(manifest: Manifest, places: list[int]) -> Content | None:
    entry = manifest.novelty
    if entry is None or entry.member not in places:
        return None
    return entry.model_copy(update={"member": places.index(entry.member)}).model_dump(mode="json")


def _files(content: Content) -> set[str]:
    others = [content[name]["file"] for name in ("novelty", "neighbours") if content.get(name)]
    return {*others, *(file for member in content["members"] for file in member["files"])}
