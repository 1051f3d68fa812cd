"""Look through one input: cut it into portions, write down which, and what was found. Done once, by one worker."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from broker.archives._writing import written_alone
from broker.archives.files import State, state_of
from broker.archives.found import Found, Input, Rules, Tally
from broker.archives.kinds import kind_of
from broker.archives.packet_files import joined
from broker.archives.portion import Portion, line
from broker.archives.unreadable import Unreadable
from broker.errors import WrongInputError
from broker.object_store import is_address, plain


@dataclass(frozen=True)
class Listed:
    """What was found in an input.

    Parameters
    ----------
    portions : how many it was cut into.
    packets : packets that can be read; an object container counts as many as it holds, an annotation table its rows.
    size : bytes of its files.
    sha256 : its hash, see `broker.archives.found.Tally`.
    kinds, skipped, unsafe, faults : see there.
    """

    portions: int
    packets: int
    size: int
    sha256: str
    kinds: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    unsafe: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, given: Input) -> "Listed | None":
        """What an earlier listing found; None where there was none to its end."""
        file = _facts(folder, given)
        if not file.exists():
            return None
        return cls(**json.loads(file.read_text(encoding="utf-8")))


def list_input(given: Input, folder: Path, rules: Rules) -> None:
    """Look through an input, and write down what there is.

    Parameters
    ----------
    given : the input.
    folder : for listings and seek indexes.
    rules : how archives are read.

    Raises
    ------
    OSError
        If the listing can't be written. What is wrong with the input is part of the listing.
    WrongInputError
        If an object store doesn't give what it should.
    """
    tally, n = Tally(), 0
    state, fault = _state(given.path)
    with written_alone(_lines(folder, given)) as to, to.open("w", encoding="utf-8") as file:
        whole = Found(given, "", folder, rules)
        portions = Unreadable().portions(whole, tally, fault) if fault else _portions(whole, state, tally)
        for portion in joined(portions):
            file.write(line(portion))
            n += 1
    size = sum(size for _, size, _ in state)
    listed = Listed(
        n, tally.packets, size, tally.sha256,
        dict(tally.kinds), dict(tally.skipped), tally.unsafe, tally.faults,
    )  # fmt: skip
    for path, content in ((_files(folder, given), state), (_facts(folder, given), asdict(listed))):
        with written_alone(path) as to:  # the facts last: they say that the rest is there
            to.write_text(json.dumps(content) + "\n", encoding="utf-8")


def is_listed(folder: Path, given: Input) -> bool:
    """Whether an input was looked through to its end."""
    return _facts(folder, given).exists()


def state_when_listed(folder: Path, given: Input) -> list[State]:
    """The files' state when they were looked through."""
    found = json.loads(_files(folder, given).read_text(encoding="utf-8"))
    return [(name, size, time) for name, size, time in found]


def portions(given: Input, folder: Path) -> Iterator[Portion]:
    """The portions that were written down."""
    with _lines(folder, given).open(encoding="utf-8") as file:
        yield from (Portion.from_json(json.loads(each)) for each in file)


def _state(path: str) -> tuple[list[State], str | None]:
    """The files, or why there are none."""
    if is_address(path):
        return state_of(path), None
    try:
        return state_of(path), None
    except WrongInputError as error:
        return [], str(error)
    except OSError as error:
        return [], f"can't be read: {error.strerror or error}"


def _portions(whole: Found, files: list[State], tally: Tally) -> Iterator[Portion]:
    for name, _, _ in files:
        found = Found(whole.given, name, whole.folder, whole.rules)
        try:
            kind = kind_of(found)
            tally.kinds[kind.name] += 1
            yield from kind.portions(found, tally)
        except (OSError, pa.ArrowException) as error:
            if found.is_object:  # a store that is away says nothing about what it holds
                raise WrongInputError(f"{name} of {whole.given.path} can't be read: {plain(error)}") from error
            reason = f"can't be read: {getattr(error, 'strerror', None) or error}"
            yield from Unreadable().portions(found, tally, reason)


def _lines(folder: Path, given: Input) -> Path:
    return folder / f"{given.number:06d}.portions"


def _files(folder: Path, given: Input) -> Path:
    return folder / f"{given.number:06d}.files"


def _facts(folder: Path, given: Input) -> Path:
    return folder / f"{given.number:06d}.json"
