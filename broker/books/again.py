"""Whether a micro-batch that the ledger has, and that comes again, is the same one.

It is where Spark died before it noted that the batch was done. Where its checkpoint has lost the plan of the batch, as
in a power failure, Spark plans it anew, with all that has come since, and what is new in it would be passed over.
"""

from collections.abc import Mapping

import numpy as np

from broker.books.ledger import Page, Span
from broker.harvest import Harvest
from broker.sources.kafka import partition_names


def what_is_new(harvest: Harvest, page: Page | None, positions: Mapping[str, Span]) -> str | None:
    """What a batch that came again holds beyond what counts; None if nothing.

    Parameters
    ----------
    harvest : what the workers made of it this time.
    page : the books' page of that batch; None where the journal hasn't got it.
    positions : how far each Kafka partition was read.
    """
    if harvest.messages.num_rows:
        return _new_messages(harvest, positions)
    before = page.entry.received if page else 0
    more = harvest.outcome.received - before
    return f"{more:,} alerts more than the {before:,} that it had" if more > 0 else None


def _new_messages(harvest: Harvest, positions: Mapping[str, Span]) -> str | None:
    names, offsets = partition_names(harvest.messages).to_numpy(), harvest.messages["offset"].to_numpy()
    for name in sorted(set(names)):
        known = positions[name].next if name in positions else 0
        new = int(np.count_nonzero(offsets[names == name] >= known))
        if new:
            return f"{new:,} messages of {name} from offset {known:,} on"
    return None
