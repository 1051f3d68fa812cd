"""Which kinds of values may a condition compare? The columns of an Arrow schema, as conditions see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """The kind of a value, in the words that messages use."""

    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    FLOAT = "a number"
    TEXT = "text"
    NULL = "NULL"

    @property
    def is_number(self) -> bool:
        """Whether arithmetic is defined; NULL goes with everything."""
        return self in (Kind.INTEGER, Kind.FLOAT, Kind.NULL)


def kind_of(kind: pa.DataType) -> Kind | None:
    """The kind of an Arrow type's values; None for lists, structs, times, and whole numbers beyond 64 signed bits."""
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    if pa.types.is_boolean(kind):
        return Kind.BOOLEAN
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return Kind.INTEGER
    if pa.types.is_floating(kind):
        return Kind.FLOAT
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Kind.TEXT
    return None


@dataclass(frozen=True)
class Columns:
    """The columns of a schema, found whatever the case of their letters."""

    schema: pa.Schema

    def find(self, name: str) -> str | None:
        """The column's own spelling; None if there is no such column, or several that differ in case only."""
        if name in self.schema.names:
            return name
        alike = [known for known in self.schema.names if known.lower() == name.lower()]
        return alike[0] if len(alike) == 1 else None

    def kind(self, name: str) -> Kind | None:
        """The kind of the column of this exact name."""
        return kind_of(self.schema.field(name).type)

    def usable(self) -> Iterator[str]:
        """The names that a condition may use."""
        return (field.name for field in self.schema if kind_of(field.type) is not None)
