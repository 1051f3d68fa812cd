"""Damage to bytes, whatever they mean."""

from collections.abc import Callable
from random import Random

from benchmarks.fuzzing.templates import Template

Damage = Callable[[Random, Template, Template], bytes]
"""From a source of chance, the packet to damage and another one, to damaged bytes."""

_LONGEST_RUN = 64
_NUMBERS = (0, 1, -1, 2, 63, 64, -65, 2**31 - 1, 2**31, -(2**31), 2**40, -(2**40), 2**62, 2**63 - 1, -(2**63))


def varint(number: int) -> bytes:
    """An Avro int or long: zigzag, seven bits a byte, the lowest first (Avro 1.11, "Binary Encoding")."""
    left, out = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:  # noqa: PLR2004 - what seven bits hold
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def _place(chance: Random, template: Template) -> int:
    """Where to strike: mostly in the record, for a container's header is long and breaks in few ways."""
    start = template.body if chance.random() < 0.9 else 0  # noqa: PLR2004 - see above
    return chance.randrange(start, len(template.payload))


def flip_bits(chance: Random, template: Template, _other: Template) -> bytes:
    """Flip one to eight bits."""
    data = bytearray(template.payload)
    for _ in range(chance.randint(1, 8)):
        data[_place(chance, template)] ^= 1 << chance.randrange(8)
    return bytes(data)


def replace_run(chance: Random, template: Template, _other: Template) -> bytes:
    """Put as many other bytes for a run of them: random ones, or all the same."""
    at, size = _place(chance, template), chance.randint(1, _LONGEST_RUN)
    run = chance.randbytes(size) if chance.random() < 0.5 else bytes([chance.choice((0, 0x7F, 0x80, 0xFF))]) * size  # noqa: PLR2004 - half of each
    return (template.payload[:at] + run + template.payload[at + size :])[: len(template.payload)]


def truncate(chance: Random, template: Template, _other: Template) -> bytes:
    """Cut off the end, often nearly all or nearly nothing."""
    size = chance.choice((_place(chance, template), chance.randrange(9), len(template.payload) - chance.randint(1, 9)))
    return template.payload[:size]


def insert(chance: Random, template: Template, _other: Template) -> bytes:
    """Insert bytes."""
    at = _place(chance, template)
    return template.payload[:at] + chance.randbytes(chance.randint(1, _LONGEST_RUN)) + template.payload[at:]


def delete(chance: Random, template: Template, _other: Template) -> bytes:
    """Leave bytes out."""
    at = _place(chance, template)
    return template.payload[:at] + template.payload[at + chance.randint(1, _LONGEST_RUN) :]


def splice(chance: Random, template: Template, other: Template) -> bytes:
    """The beginning of one packet and the end of another."""
    return template.payload[: _place(chance, template)] + other.payload[_place(chance, other) :]


def put_number(chance: Random, template: Template, _other: Template) -> bytes:
    """A number that may be taken for a length, a count, a choice of type or a value; or one that doesn't end."""
    at = _place(chance, template)
    number = varint(chance.choice(_NUMBERS)) if chance.random() < 0.9 else b"\xff" * chance.randint(1, 40)  # noqa: PLR2004 - mostly whole ones
    return template.payload[:at] + number + template.payload[at + chance.choice((0, 1, len(number))) :]


def concatenate(_chance: Random, template: Template, other: Template) -> bytes:
    """Two packets in one."""
    return template.payload + other.payload


def noise(chance: Random, template: Template, _other: Template) -> bytes:
    """Nothing but noise, mostly behind a header that promises more."""
    header = template.payload[: chance.choice((0, 1, 4, 5, template.body))]
    return header + chance.randbytes(chance.randint(0, 500))
