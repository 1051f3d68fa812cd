"""Which inputs does a configuration name? Paths, and patterns of them."""

from collections.abc import Sequence
from glob import glob
from pathlib import Path


def matches(pattern: Path) -> list[Path]:
    """The path itself where there is something at it, otherwise what the pattern matches, sorted."""
    if pattern.exists():
        return [pattern]
    return [Path(each) for each in sorted(glob(str(pattern), recursive=True))]  # noqa: PTH207  # it is absolute


def paths_of(patterns: Sequence[Path]) -> list[Path]:
    """Every input once, in the order of the patterns."""
    return list(dict.fromkeys(path for pattern in patterns for path in matches(pattern)))
