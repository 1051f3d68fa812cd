"""A visit is open until no more of it comes; what comes then is late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.visits.closing import FAR_AHEAD_SECONDS, LATER_VISITS, QUIET_SECONDS, REMEMBERED, Open, Progress

START = 1_770_000_000.0
NEXT = START + QUIET_SECONDS


def visit(number, alerts=1, detectors=1, at=START, whole=True):
    """Alerts of a visit, observed every 40 s."""
    return {number: Open(alerts, detectors, START + 40 * number, at, whole)}


def after(*batches):
    """The progress after micro-batches, each with its time, and all visits that became complete."""
    progress, complete = Progress(), []
    for came, now in batches:
        progress, done = progress.with_batch(came, now)
        complete += done
    return progress, complete


def test_alerts_of_an_open_visit_add_up():
    progress, complete = after((visit(1, 10, 0b0011), START), (visit(1, 5, 0b0110, START + 9), START + 9))
    assert progress.open == {1: Open(15, 0b0111, START + 40, START + 9)}
    assert (complete, progress.late, progress.newest) == ([], 0, 1)


def test_a_visit_that_is_quiet_is_complete_and_what_comes_then_is_late():
    progress, complete = after((visit(1, 10), START), (visit(2, at=NEXT), NEXT))
    assert [each.alerts for each in complete] == [10]
    assert (set(progress.open), set(progress.closed)) == ({2}, {1})
    progress, more = progress.with_batch(visit(1, 3), START + QUIET_SECONDS + 1)
    assert (more, progress.late, progress.newest) == ([], 3, 2)


def test_it_is_complete_without_another_batch_and_what_is_told_then_stays_true():
    progress, _ = after((visit(1, 10), START))
    assert progress.as_of(START + QUIET_SECONDS - 1) == (progress, [])
    told, complete = progress.as_of(START + QUIET_SECONDS)
    assert (told.newest, len(complete)) == (1, 1)
    progress, again = progress.with_batch(visit(1, 2), START + QUIET_SECONDS + 5)
    assert (again, progress.late) == (complete, 2)


def test_a_backlog_closes_visits_by_later_ones_but_none_that_is_still_coming():
    batches = [(visit(number), START) for number in range(LATER_VISITS + 1)]
    progress, complete = after(*batches)
    assert len(complete) == 1
    assert 0 not in progress.open
    both = {**visit(50), **visit(0)}
    _, complete = after(*batches[:-1], (both, START))
    assert complete == []


def test_it_remembers_so_many_and_what_is_older_is_late_too():
    progress, complete = after(*((visit(number), START) for number in range(1, REMEMBERED + LATER_VISITS + 11)))
    assert len(progress.closed) == REMEMBERED
    assert len(progress.open) == LATER_VISITS
    assert len(complete) == REMEMBERED + 10
    progress, _ = progress.with_batch({**visit(1, 4), **visit(0, 5)}, START)
    assert progress.late == 9


def test_an_absurd_date_is_no_visit():
    far = {7: Open(1, 1, START + FAR_AHEAD_SECONDS, START)}
    assert after((far, START)) == (Progress(), [])


def test_part_of_a_visit_that_may_be_missing_makes_it_not_whole():
    progress, _ = after((visit(1, whole=False), START), (visit(1), START))
    assert not progress.open[1].whole


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_night_in_either_order_nothing_is_late(order):
    """As long as no more visits than that are on their way at a time."""
    progress, complete = after(*((visit(number), START) for number in range(0, LATER_VISITS * order, order)))
    assert (complete, progress.late, len(progress.open)) == ([], 0, LATER_VISITS)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(0, 400)), max_size=80))
def test_every_alert_is_in_one_visit_or_late(batches):
    now, progress, complete, came = START, Progress(), [], 0
    for number, alerts, wait in batches:
        now += wait
        came += alerts
        progress, done = progress.with_batch(visit(number, alerts, at=now), now)
        complete += done
    there = sum(each.alerts for each in [*complete, *progress.open.values()])
    assert there + progress.late == came
    assert not set(progress.open) & set(progress.closed)
