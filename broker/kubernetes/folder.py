"""A folder that holds what was rendered, and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker._atomic import replacing
from broker._yaml import YamlError, read_document
from broker.errors import WrongInputError
from broker.kubernetes.render import FILTERS, KAFKA, KUSTOMIZATION


@dataclass(frozen=True)
class Difference:
    """What must change in a folder; paths in it, sorted.

    Parameters
    ----------
    added, changed, removed : files.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def difference(folder: Path, wanted: Mapping[str, bytes]) -> Difference:
    """How a folder differs from what it should hold.

    Parameters
    ----------
    folder : where earlier files are; it need not exist.
    wanted : contents by path.

    Raises
    ------
    WrongInputError
        If something lies in there that wasn't rendered.
    """
    found = _found(folder)
    foreign = sorted(found - {*_listed(folder), *wanted})
    if foreign:
        raise WrongInputError(
            f"{folder} holds {', '.join(foreign)}, which `boreal k8s render` didn't make; "
            "take it away, or give a folder of its own (--to)"
        )
    return Difference(
        tuple(sorted(wanted.keys() - found)),
        tuple(sorted(name for name in wanted.keys() & found if (folder / name).read_bytes() != wanted[name])),
        tuple(sorted(found - wanted.keys())),
    )


def write(folder: Path, wanted: Mapping[str, bytes], change: Difference) -> None:
    """Make a folder hold what it should; what is right already isn't touched.

    Raises
    ------
    WrongInputError
        If it can't be written.
    """
    try:
        for name in (*change.added, *change.changed):
            with replacing(folder / name) as path:
                path.write_bytes(wanted[name])
        for name in change.removed:
            (folder / name).unlink()
    except OSError as error:
        raise WrongInputError(f"can't write to {folder}: {error.strerror}; give a folder that you own") from None


def _found(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _listed(folder: Path) -> Iterator[str]:
    """What the lists of an earlier rendering name, the lists included."""
    for part in (FILTERS, KAFKA):
        yield f"{part}/{KUSTOMIZATION}"
        try:
            data = read_document(folder / part / KUSTOMIZATION).data
        except YamlError:  # none there, or none that we wrote
            continue
        generators = data.get("configMapGenerator") or [{}]
        for name in (*data.get("resources", ()), *generators[0].get("files", ())):
            yield f"{part}/{name}"
