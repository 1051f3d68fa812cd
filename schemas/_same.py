"""Keys of caches for large things, which would cost more to compare than what is kept."""

from typing import Any


class Same:
    """Equal to another one of the very same things."""

    def __init__(self, *things: Any) -> None:
        self.things = things

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and all(a is b for a, b in zip(self.things, other.things, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.things)))
