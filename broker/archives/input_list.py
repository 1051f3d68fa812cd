"""The inputs of a run: a list that only grows, so that a number tells how far a stream is.

The number counts portions, through all inputs, in the order in which they were given.
"""

import json
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice
from pathlib import Path

from broker.archives._hashing import file_hash
from broker.archives.files import state_of
from broker.archives.found import Found, Input, Rules, Tally
from broker.archives.listing import Listed, is_listed, portions, state_when_listed
from broker.archives.portion import Portion
from broker.errors import WrongInputError
from broker.object_store import is_address
from broker.run_directory import RunDirectory
from broker.sources.files import origin_of


class InputList:
    """The folder in which a run keeps what it found in its inputs.

    Parameters
    ----------
    folder : made where something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "inputs.jsonl"
        self.inputs = self._read()

    def add(self, paths: Sequence[Path | str]) -> None:
        """Append the inputs that aren't in the list yet.

        Raises
        ------
        WrongInputError
            If there is no table at an address.
        """
        known, labels = {each.path for each in self.inputs}, {each.label for each in self.inputs}
        new: list[Input] = []
        for path in paths:
            if str(path) not in known:
                if is_address(path):
                    state_of(path)
                label = _label(path, labels)
                new.append(Input(len(self.inputs) + len(new), label, str(path)))
                known.add(str(path))
                labels.add(label)
        if new:
            self._append(new)
            self.inputs.extend(new)

    @property
    def unlisted(self) -> Sequence[Input]:
        """Inputs that were not looked through yet."""
        return [each for each in self.inputs if not is_listed(self.folder, each)]

    @cached_property
    def listed(self) -> Mapping[str, Listed]:
        """What was found in each input that was looked through, by label."""
        found = {each.label: Listed.read(self.folder, each) for each in self.inputs}
        return {label: listed for label, listed in found.items() if listed}

    @cached_property
    def _ends(self) -> Sequence[int]:
        """The number of portions up to the end of each input."""
        return list(accumulate(self.listed[each.label].portions for each in self.inputs))

    def __len__(self) -> int:
        """The number of portions."""
        return self._ends[-1] if self._ends else 0

    def portions(self, start: int) -> Iterator[tuple[Input, Portion]]:
        """Yield the portions from this one on, each with its input."""
        number = bisect_right(self._ends, start)
        for given in self.inputs[number:]:
            first = self._ends[given.number] - self.listed[given.label].portions
            for portion in islice(portions(given, self.folder), max(0, start - first), None):
                yield given, portion

    def check(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """See that no input has changed since it was looked through.

        Parameters
        ----------
        counts : what the ledger has of each input.

        Raises
        ------
        WrongInputError
            Where one has, or where one is gone that isn't read to its end.
        """
        for given in self.inputs:
            listed = self.listed.get(given.label)
            if listed is None:
                continue
            done = counts.get(given.label, {}).get("portions", 0) >= listed.portions
            if not (is_address(given.path) or Path(given.path).exists()):
                if not done:
                    raise WrongInputError(f"{given.path} is gone, and was not read to its end; put it back")
            elif change := _change(given, self.folder, listed.sha256):
                raise WrongInputError(
                    f"{given.path} has changed since this run looked through it: {change}. Put the old one back, or "
                    "write to another directory (`to`)"
                )

    def _read(self) -> list[Input]:
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):  # killed while writing: nothing was told of this line yet
            lines.pop()
            self._file.write_text("".join(lines), encoding="utf-8")
        return [Input(number, *json.loads(each)) for number, each in enumerate(lines)]

    def _append(self, inputs: Sequence[Input]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps([each.label, each.path]) + "\n" for each in inputs)
            file.flush()
            os.fsync(file.fileno())


def input_list_of(run: RunDirectory) -> InputList:
    """The inputs of a run."""
    return InputList(run.checkpoint / "archives")


def _label(path: Path | str, taken: set[str]) -> str:
    """The path's name, with as many of the folders above it as make it another than those there are."""
    given = Path(path)  # of an address, too, names are between slashes
    parts = [part.replace("!", "_") for part in given.parts if part != given.anchor]
    for n in range(1, len(parts) + 1):
        label = origin_of("/".join(parts[-n:]))
        if label not in taken:
            return label
    return origin_of(str(path))


def _change(given: Input, folder: Path, sha256: str) -> str | None:
    """What has changed; nothing where the files have other times, but the same content."""
    then, state = state_when_listed(folder, given), state_of(given.path)
    if state == then:
        return None
    before, now = ({name: size for name, size, _ in each} for each in (then, state))
    if before != now:
        sizes = sum(before.values()), sum(now.values())
        return f"{len(before):,} files of {sizes[0]:,} bytes were there, now {len(now):,} of {sizes[1]:,}"
    tally = Tally(hashes=[(name, file_hash(Found(given, name, folder, Rules()).open)) for name in now])
    return None if tally.sha256 == sha256 else "its content is another"
