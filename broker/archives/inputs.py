"""Which inputs does a configuration name? Paths, patterns of them, and addresses of Delta tables in object stores."""

from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from broker._validation import given_path
from broker.object_store import is_address


def _given(value: Any) -> Any:
    return value if isinstance(value, str) and is_address(value) else given_path(value)


GivenInput = Annotated[Path | str, BeforeValidator(_given)]
"""A path or a pattern as a person writes it, or an address."""


def matches(pattern: Path | str) -> list[Path | str]:
    """The path itself where there is something at it, otherwise what the pattern matches, sorted; an address itself."""
    if isinstance(pattern, str):
        return [pattern]
    if pattern.exists():
        return [pattern]
    return [Path(each) for each in sorted(glob(str(pattern), recursive=True))]  # noqa: PTH207  # it is absolute


def paths_of(patterns: Sequence[Path | str]) -> list[Path | str]:
    """Every input once, in the order of the patterns."""
    return list(dict.fromkeys(path for pattern in patterns for path in matches(pattern)))
