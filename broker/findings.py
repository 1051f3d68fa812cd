"""What is wrong where: a message that shows the file, the line, the place in it, and the nearest valid names."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any

WIDTH = 110
"""A longer source line is shown from around the place in question."""

NEAR, HARDLY_FARTHER = 0.6, 0.25
"""How alike, from 0 to 1, a name must be to be offered, and by how much less than the nearest."""


@dataclass(frozen=True)
class Finding:
    """Something wrong, or doubtful, in a file that a person wrote.

    Parameters
    ----------
    file : as the person gave it.
    message : what is wrong.
    line, column : counted from 1; None where the whole file is meant.
    hint : what would be right; may be empty.
    source : the line of the file; empty where the whole file is meant.
    length : number of characters that the caret underlines.
    warning : doubtful, but accepted.
    """

    file: str
    message: str
    line: int | None = None
    column: int | None = None
    hint: str = ""
    source: str = ""
    length: int = 1
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        kind = "warning: " if self.warning else ""
        return "\n".join(
            [f"{place}: {kind}{self.message}", *self._excerpt(), *([f"  {self.hint}"] if self.hint else [])]
        )

    def _excerpt(self) -> list[str]:
        if self.line is None or self.column is None:
            return []
        at = self.column - 1
        start = max(0, min(at - WIDTH // 3, len(self.source) - WIDTH))
        shown = self.source[start : start + WIDTH].replace("\t", " ")
        length = max(1, min(self.length, len(shown) - (at - start)))
        number = str(self.line)
        return [f"  {number} | {shown}", f"  {' ' * len(number)} | {' ' * (at - start)}{'^' * length}"]

    def to_json(self) -> dict[str, Any]:
        """The finding as plain data, a key per parameter."""
        return asdict(self)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one file by their place in it."""
    return sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0))


def report(findings: Iterable[Finding]) -> str:
    """Findings as text, an empty line between two."""
    return "\n\n".join(str(finding) for finding in findings)


def did_you_mean(word: str, names: Iterable[str], otherwise: str = "") -> str:
    """A hint with the valid names nearest to a word, whatever its case; `otherwise` if none is near."""
    by_lower = {name.lower(): name for name in names}
    nearest = get_close_matches(word.lower(), by_lower, n=1, cutoff=NEAR)
    if not nearest:
        return otherwise
    cutoff = max(NEAR, SequenceMatcher(None, nearest[0], word.lower()).ratio() - HARDLY_FARTHER)
    near = [by_lower[found] for found in get_close_matches(word.lower(), by_lower, n=3, cutoff=cutoff)]
    return f"did you mean {near[0]}?" if len(near) == 1 else f"did you mean {', '.join(near[:-1])} or {near[-1]}?"
