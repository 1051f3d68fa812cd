"""Which packets a batch holds: decided by the seed and the batch's number alone."""

from collections.abc import Sequence
from random import Random

from benchmarks.fuzzing import damage, framing, values
from benchmarks.fuzzing.damage import Damage
from benchmarks.fuzzing.templates import Template

BATCH_SIZE = 64

_SLOW_SHARE = 0.03
_MIX: tuple[tuple[Damage, int], ...] = (
    (values.absurd_record, 45),
    (damage.flip_bits, 8),
    (damage.replace_run, 6),
    (damage.put_number, 10),
    (damage.truncate, 3),
    (damage.insert, 3),
    (damage.delete, 3),
    (damage.splice, 3),
    (damage.concatenate, 1),
    (damage.noise, 2),
    (framing.other_schema_id, 2),
    (framing.several_records, 4),
    (framing.wrong_block, 4),
    (framing.wrong_schema, 5),
    (framing.nested_schema, 1),
)
"""Ways to mutate a packet, and their shares in percent; nearly half get past the framing."""


def make_batch(templates: Sequence[Template], seed: int, number: int) -> list[tuple[str, bytes]]:
    """A batch of mutated packets, each with a name that says what was done to what."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 - tests need no secrets, but the same numbers again
    quick = [template for template in templates if template.quick]
    slow = [template for template in templates if not template.quick] or quick
    return [_mutated(chance, quick, slow, f"{number}/{k}") for k in range(BATCH_SIZE)]


def _mutated(chance: Random, quick: Sequence[Template], slow: Sequence[Template], name: str) -> tuple[str, bytes]:
    ways, shares = zip(*_MIX, strict=True)
    way = chance.choices(ways, shares)[0]
    # To encode a large record again takes longer than all that is tested with it.
    large = way is not values.absurd_record and chance.random() < _SLOW_SHARE
    template = chance.choice(slow if large else quick)
    return f"{name} {way.__name__} of {template.name}", way(chance, template, chance.choice(quick))
