"""Killed between any two operations on files, tables and topics, a run loses nothing and doubles nothing."""

import os
from pathlib import Path

import pytest

from broker.harvest import join

TOPICS = ("boreal-all", "boreal-few", "everything", "classes", "packets", "dead")
PLENTY = 10**9


class KilledError(BaseException):
    """Stands for the death of the process."""


class Life:
    """Counts operations and dies when none is left."""

    def __init__(self) -> None:
        self.left = PLENTY

    def step(self) -> None:
        if self.left == 0:
            raise KilledError
        self.left -= 1


@pytest.fixture
def life(monkeypatch):
    """Each replacing, removing and flushing of a file is an operation; what was written stays, as after kill -9."""
    monkeypatch.setattr("broker.commit.now", lambda: 1_750_000_000_000)  # or else the books differ from life to life
    life, replace, unlink = Life(), Path.replace, Path.unlink

    def stepping(operation):
        def stepped(*arguments, **options):
            life.step()
            return operation(*arguments, **options)

        return stepped

    monkeypatch.setattr(Path, "replace", stepping(replace))
    monkeypatch.setattr(Path, "unlink", stepping(unlink))
    monkeypatch.setattr(os, "fsync", stepping(lambda _: None))
    return life


@pytest.fixture
def harvests(desk, small_packet, make_packet, kafka_records, not_understood):
    """Two micro-batches: two nights, a repeat, noise, a schema that isn't known yet, a container of two.

    Of the container, whose second alert has no place on the sky, nothing is understood yet.
    """
    sources = [{"diaSourceId": k, "midpointMjdTai": 61000.0, "ra": 10.0, "dec": -5.0 - 200 * (k == 8)} for k in (7, 8)]
    records = [make_packet.record("lsst.v10_0.alert", diaSourceId=s["diaSourceId"], diaSource=s) for s in sources]
    first = [small_packet(1), small_packet(2, 61001.2), b"noise", small_packet(3, schema_id=1200)]
    second = [small_packet(1), small_packet(4)]
    container = kafka_records([make_packet.container("lsst.v10_0.alert", *records)], first=6)
    work = desk("elsewhere").harvest
    return [
        work(kafka_records(first)),
        join([work(kafka_records(second, first=4)), not_understood(container)]),
    ]


def work(desk, harvests):
    """All that a run does in its life: two micro-batches, and a replay of the dead letters."""
    for number, harvest in enumerate(harvests):
        desk.committer.commit(number, harvest)
    desk.replay()


def state(desk):
    """Every file that readers look at, by name; of a Delta table, whose files have random names, its rows."""
    path = desk.run.path
    files = {str(file.relative_to(path)): file for file in path.rglob("*") if file.is_file()}
    found = {name: file.read_bytes() for name, file in files.items() if not file.name.startswith(".")}
    if desk.kind == "parquet":
        return found
    return {name: content for name, content in found.items() if not name.startswith("annotations/")}, desk.rows()


@pytest.fixture
def live(life, desk, harvests, topics, taught):
    """Do all the work in a directory, dying after so many operations in each life but the last.

    Gives the desk, the number of deaths, and the operations of the last life.
    """
    taught(1200)

    def live(name, kind, *lives):
        kafka, deaths = topics(life.step), 0
        for left in (*lives, PLENTY):
            life.left = left
            try:
                opened = desk(name, table=kind, topics=kafka)
                work(opened, harvests)
            except KilledError:
                deaths += 1
        return opened, deaths, PLENTY - life.left

    yield live
    life.left = PLENTY


@pytest.mark.parametrize(("kind", "step"), [("parquet", 1), ("delta", 2)])
def test_killed_between_any_two_operations_it_loses_and_doubles_nothing(live, kind, step):
    """A commit of a Delta table is followed by several operations: every second one finds what each would."""
    whole, _, operations = live("whole", kind)
    whole.check()
    expected, sent = state(whole), {topic: whole.topics.of(topic) for topic in TOPICS}
    assert len(whole.topics.messages) == sum(map(len, sent.values()))
    assert whole.committer.ledger.total.received == 8
    for left in range(0, operations, step):
        opened, deaths, _ = live(f"{left}", kind, left, left // 3)
        assert deaths >= 1
        assert state(opened) == expected, f"died after {left} operations"
        assert {topic: opened.topics.of(topic) for topic in TOPICS} == sent
        opened.check()


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_micro_batch_that_died_may_come_again_cut_otherwise(life, desk, topics, small_packet, kafka_records, kind):
    """The later offset is the earlier alert, which `few` gets if both are in one micro-batch, and not otherwise."""
    payloads = [small_packet(1, 60990.0), small_packet(2, 61000.3), small_packet(3, 61000.2)]
    work = desk("elsewhere").harvest
    before, together = work(kafka_records(payloads[:1])), work(kafka_records(payloads[1:], first=1))
    apart = [work(kafka_records([payload], first=k)) for k, payload in enumerate(payloads[1:], 1)]
    deaths, sent_to = 0, set()
    for left in range(200):
        kafka, life.left = topics(life.step), PLENTY
        first = desk(f"{left}", table=kind, topics=kafka)
        first.committer.commit(0, before)
        try:
            life.left = left
            first.committer.commit(1, together)
            break
        except KilledError:
            deaths, life.left = deaths + 1, PLENTY
        again = desk(f"{left}", table=kind, topics=kafka, stream="4567cdef")
        for number, harvest in enumerate(apart if again.committer.ledger.total.received == 1 else ()):
            again.committer.commit(number, harvest)
        again.check()
        sent_to |= {row["diaSourceId"] for row in again.rows() if "few" in row["deliveredTo"]}
    assert deaths > 15
    assert sent_to == {1, 2, 3}


def test_a_stream_s_first_batch_that_only_the_table_has_counts_though_its_checkpoint_is_gone(
    desk, small_packet, kafka_records, monkeypatch
):
    opened = desk("run", table="delta", stream="0123abcd")
    with monkeypatch.context() as patched:
        patched.setattr("broker.commit.journal.append", lambda *_: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            opened.take(0, kafka_records([small_packet(1), small_packet(2)]))
    again = desk("run", table="delta", stream="89abcdef", topics=opened.topics)
    assert again.committer.ledger.total.annotated == 2
    again.check()
