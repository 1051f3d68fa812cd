"""What the workers hand over for a micro-batch: what became of its packets, where they came from, what may be sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from broker._stopwatch import together
from broker.pipeline import Outcome
from broker.shadow import rows as shadow_rows
from broker.shadow.rows import SHADOW
from broker.sources.kafka import MESSAGES

RECORDS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("destination", pa.utf8(), nullable=False),
        pa.field("value", pa.large_binary()),
    ]
)
"""Encoded messages that go out once it is decided that their alert does: `row` counts in the annotations, and a message
that can't be encoded has no value."""

INPUTS = pa.schema(
    [
        pa.field("input", pa.utf8(), nullable=False),
        pa.field("portions", pa.int64(), nullable=False),
        pa.field("annotations", pa.int64(), nullable=False),
        pa.field("rejects", pa.int64(), nullable=False),
    ]
)
"""Which archive the rows are from, in their order: so many annotations and rejects, and portions that are done."""

Record = tuple[int, str, bytes | None]
"""A row of `RECORDS`."""


@dataclass(frozen=True)
class Harvest:
    """The work done on some packets, or on all of a micro-batch.

    Parameters
    ----------
    outcome : annotations and rejects.
    messages : columns of `broker.sources.kafka.MESSAGES`; no rows where packets come from files.
    records : columns of `RECORDS`.
    inputs : columns of `INPUTS`; no rows where packets aren't from archives.
    shadow : columns of `broker.shadow.rows.SHADOW`; no rows without a shadow.
    seconds : how long each step took the workers, by its name.
    """

    outcome: Outcome
    messages: pa.Table = field(default_factory=MESSAGES.empty_table)
    records: pa.Table = field(default_factory=RECORDS.empty_table)
    inputs: pa.Table = field(default_factory=INPUTS.empty_table)
    shadow: pa.Table = field(default_factory=SHADOW.empty_table)
    seconds: Mapping[str, float] = field(default_factory=dict)


def join(parts: Sequence[Harvest]) -> Harvest:
    """Harvests one after the other; there must be one at least."""
    starts = np.cumsum([0, *(part.outcome.annotations.num_rows for part in parts)])
    return Harvest(
        join_outcomes([part.outcome for part in parts]),
        pa.concat_tables([part.messages for part in parts]),
        pa.concat_tables([_moved(part.records, int(start)) for part, start in zip(parts, starts, strict=False)]),
        pa.concat_tables([part.inputs for part in parts]),
        pa.concat_tables(
            [shadow_rows.moved(part.shadow, int(start)) for part, start in zip(parts, starts, strict=False)]
        ),
        together(part.seconds for part in parts),
    )


def join_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """Outcomes one after the other."""
    return Outcome(
        pa.concat_tables([outcome.annotations for outcome in outcomes]),
        pa.concat_tables([outcome.rejects for outcome in outcomes]),
        sum(outcome.received for outcome in outcomes),
        sum((outcome.filter_errors for outcome in outcomes), Counter()),
    )


def _moved(records: pa.Table, rows: int) -> pa.Table:
    moved = pa.compute.add(records["row"], rows)
    return records.set_column(0, RECORDS.field("row"), moved)
