"""Dead letters once more through the same function, after a schema, the code or the model was mended."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from broker.deadletter import REPLAY_STREAM, waiting
from broker.harvest import Harvest
from broker.run_directory import RunDirectory
from broker.service import Service
from broker.sources.intake import Intake
from broker.sources.kafka import MESSAGES
from schemas.packets import PACKETS

LETTERS_PER_CALL = 64

Wanted = Callable[[pa.Table], pa.Array]
"""From columns of `broker.deadletter.DEADLETTER` to a boolean a row."""


@dataclass
class Replayed:
    """What came of a replay.

    Parameters
    ----------
    tried : dead letters that were processed again.
    annotated, duplicates : alerts in them that are annotated now, or had been seen.
    failed : by reason, dead letters that stay, and alerts in those that don't which are dead letters of their own now.
    """

    tried: int = 0
    annotated: int = 0
    duplicates: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def replay(service: Service, run: RunDirectory, wanted: Wanted, on_letters: Callable[[int], None]) -> Replayed:
    """Process dead letters again. What succeeds is annotated, delivered and marked; what fails stays as it is.

    Parameters
    ----------
    service : of the run; the caller holds the directory's lock.
    run : the run's directory.
    wanted : which dead letters.
    on_letters : told how many were processed, after each call.
    """
    result = Replayed()
    for letters in _chunks(run, wanted):
        harvest = service.worker().harvest(Intake(letters.select(PACKETS.names), messages=_messages(letters)))
        succeeded, kept = _split(letters, harvest, result)
        result.tried += letters.num_rows
        if succeeded.num_rows:
            number = service.committer.ledger.last_batch.get(REPLAY_STREAM, -1) + 1
            entry = service.committer.commit(number, kept, REPLAY_STREAM, succeeded)
            result.annotated += entry.annotated if entry else 0
            result.duplicates += entry.duplicates if entry else 0
        on_letters(letters.num_rows)
    return result


def _chunks(run: RunDirectory, wanted: Wanted) -> Iterator[pa.Table]:
    """Dead letters, a few at a time, no two of one origin: results are told apart by it."""
    for table in waiting(run):
        letters = table.filter(wanted(table))
        start, seen = 0, set[str]()
        for row, origin in enumerate(letters["origin"].to_pylist()):
            if origin in seen or row - start == LETTERS_PER_CALL:
                yield letters.slice(start, row - start)
                start, seen = row, set()
            seen.add(origin)
        if letters.num_rows > start:
            yield letters.slice(start)


def _messages(letters: pa.Table) -> pa.Table:
    """The Kafka messages that the letters came in."""
    came = letters.filter(pc.is_valid(letters["topic"]))
    size = pc.binary_length(came["payload"]).cast(pa.int64())
    columns = [*(came[name] for name in MESSAGES.names[:-1]), size]
    return pa.table(columns, schema=MESSAGES)


def _split(letters: pa.Table, harvest: Harvest, result: Replayed) -> tuple[pa.Table, Harvest]:
    """The letters that hold an alert which could be annotated, and the harvest of those alone."""
    outcome, known = harvest.outcome, set(letters["origin"].to_pylist())
    annotated = {_letter(origin, known) for origin in outcome.annotations["origin"].to_pylist()}
    good = pc.is_in(letters["origin"], value_set=pa.array(sorted(annotated), pa.utf8()))
    stays = pa.array([_letter(o, known) not in annotated for o in outcome.rejects["origin"].to_pylist()], pa.bool_())
    result.failed.update(outcome.rejects["reason"].to_pylist())
    rejects = outcome.rejects.filter(pc.invert(stays))
    received = outcome.annotations.num_rows + rejects.num_rows
    return letters.filter(good), replace(harvest, outcome=replace(outcome, rejects=rejects, received=received))


def _letter(origin: str, known: set[str]) -> str:
    """The letter that an alert was in: a container of several adds a number to its own origin."""
    return origin if origin in known else origin.rpartition("#")[0]
