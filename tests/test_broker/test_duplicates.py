"""An alert counts once, whichever batch or order it comes in; with a window, for so long as it says."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker._pair_set import PairSet, distinct
from broker.duplicates import RECENT, SeenAlerts

ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
keys = st.tuples(st.sampled_from(["lsst", "ztf"]), ids, ids)
COLUMNS = {"survey": pa.utf8(), "alertId": pa.int64(), "diaSourceId": pa.int64()}


def table(rows, mjd=61000.0):
    columns = {name: pa.array([row[k] for row in rows], kind) for k, (name, kind) in enumerate(COLUMNS.items())}
    return pa.table(columns).append_column("mjdTai", pa.array(np.full(len(rows), mjd)))


def arrivals(first, mjd, survey="lsst"):
    """An alert per date, with ids from `first` on."""
    numbers = np.arange(first, first + len(mjd))
    return pa.table(
        {"survey": [survey] * len(mjd), "alertId": numbers, "diaSourceId": numbers, "mjdTai": np.asarray(mjd, float)}
    )


def known(seen, alerts):
    """How many of the alerts it knows; those that it didn't, it does from then on."""
    return int((~seen.restore(alerts)).sum())


@given(st.lists(st.lists(keys, max_size=12), max_size=5), st.booleans())
def test_it_agrees_with_a_plain_set(batches, restored):
    seen, plain = SeenAlerts(), set()
    for rows in batches:
        expected = []
        for row in rows:
            expected.append(row not in plain)
            plain.add(row)
        assert (seen.restore if restored else seen.add)(table(rows)).tolist() == expected
    assert len(seen) == len(plain)


@given(st.lists(st.lists(keys, max_size=12), max_size=5), st.lists(st.floats(0, 200_000), min_size=5, max_size=5))
def test_few_alerts_of_whatever_dates_make_nothing_forgotten(batches, dates):
    windowed, seen = SeenAlerts(window_days=1.0), SeenAlerts()
    for rows, mjd in zip(batches, dates, strict=False):
        assert windowed.add(table(rows, mjd)).tolist() == seen.add(table(rows)).tolist()


def test_ids_that_floats_can_t_tell_apart_are_told_apart():
    seen = SeenAlerts()
    assert seen.add(table([("lsst", 2**53, 1), ("lsst", 2**53 + 1, 1)])).tolist() == [True, True]
    assert seen.add(table([("lsst", 2**53 + 1, 1), ("lsst", 2**53 + 2, 1)])).tolist() == [False, True]


def test_the_same_id_in_two_surveys_is_two_alerts():
    assert SeenAlerts().add(table([("lsst", 7, 7), ("ztf", 7, 7)])).tolist() == [True, True]


def test_one_alert_id_for_all_loses_no_alert():
    assert SeenAlerts().add(table([("elasticc", 1, 5), ("elasticc", 1, 6), ("elasticc", 1, 5)])).tolist() == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("spread", ["both", "source", "alert"])
def test_many_batches_agree_with_a_plain_set(spread):
    """Long enough for runs to be merged many times; ids from so small a range that most come again."""
    rng, seen, plain = np.random.default_rng(5), SeenAlerts(), set()
    for size in rng.integers(0, 200, 300):
        source = rng.integers(0, 1 if spread == "alert" else 150, size) - 75
        alert = rng.integers(0, 1 if spread == "source" else 150, size) + 2**60
        rows = [("lsst", int(a), int(s)) for a, s in zip(alert, source, strict=True)]
        expected = []
        for row in rows:
            expected.append(row not in plain)
            plain.add(row)
        assert seen.add(table(rows)).tolist() == expected
    assert len(seen) == len(plain)


def test_the_runs_are_few():
    held, rng = PairSet(), np.random.default_rng(6)
    for size in rng.integers(1, 50, 2000):
        pairs, _ = distinct(rng.integers(0, 2**62, size), np.zeros(size, dtype=np.int64))
        held.insert(pairs[~held.holds(pairs)])
    assert len(held._runs) <= np.log2(len(held))
    for longer, shorter in zip(held._runs[:-1], held._runs[1:], strict=True):
        assert len(longer) > 2 * len(shorter)


NIGHT = 2000
"""Alerts a night in the tests below."""


def season(seen, nights, first_night=0):
    for night in range(first_night, first_night + nights):
        seen.add(arrivals(night * NIGHT, 61000 + night + np.linspace(0.0, 0.4, NIGHT)))


def test_what_came_within_the_window_is_known_and_what_came_long_before_forgotten():
    seen = SeenAlerts(window_days=10)
    season(seen, 40)
    assert known(seen, arrivals(30 * NIGHT, np.zeros(10 * NIGHT))) == 10 * NIGHT
    assert known(seen, arrivals(0, np.zeros(28 * NIGHT))) == 0


def test_memory_is_bounded_by_the_window():
    seen, sizes = SeenAlerts(window_days=5), []
    for night in range(60):
        season(seen, 1, night)
        sizes.append(len(seen))
    assert max(sizes) <= 7 * NIGHT
    assert len(seen._surveys["lsst"]._older) <= 16


def test_no_window_keeps_all():
    seen = SeenAlerts()
    season(seen, 40)
    assert len(seen) == 40 * NIGHT


@pytest.mark.parametrize("wrong", [0.0, 200_000.0, None])
def test_a_packet_with_an_absurd_date_changes_nothing(wrong):
    """Alone in its batch, and with others; a tenth of all alerts; the ends of the scale, or anything between."""
    rng, seen = np.random.default_rng(7), SeenAlerts(window_days=10)
    for night in range(30):
        dates = 61000 + night + np.linspace(0.0, 0.4, NIGHT)
        odd = rng.choice(NIGHT, NIGHT // 10, replace=False)
        dates[odd] = rng.uniform(0, 200_000, len(odd)) if wrong is None else wrong
        cut = int(odd[0])
        for part in (slice(0, cut), slice(cut, cut + 1), slice(cut + 1, NIGHT)):
            seen.add(arrivals(night * NIGHT + part.start, np.sort(dates[part])))
    assert 10 * NIGHT <= len(seen) <= 12 * NIGHT
    assert known(seen, arrivals(20 * NIGHT, np.zeros(10 * NIGHT))) == 10 * NIGHT


def test_one_absurd_packet_sent_a_thousand_times_counts_once_for_the_clock():
    seen = SeenAlerts(window_days=10)
    season(seen, 1)
    for _ in range(2 * RECENT):
        seen.add(arrivals(10**9, [200_000.0]))
    season(seen, 1, first_night=1)
    assert known(seen, arrivals(0, np.zeros(NIGHT))) == NIGHT


def test_old_alerts_don_t_turn_the_clock_back_and_are_remembered_as_long_as_new_ones():
    seen = SeenAlerts(window_days=10)
    season(seen, 20)
    late = arrivals(10**9, np.full(5 * NIGHT, 60000.0))
    assert seen.add(late).all()
    assert not seen.add(late).any()
    season(seen, 9, first_night=20)
    assert not seen.add(late).any()
    season(seen, 13, first_night=29)
    assert seen.add(late).all()


def test_surveys_have_clocks_of_their_own():
    seen = SeenAlerts(window_days=10)
    seen.add(arrivals(0, np.full(NIGHT, 58000.0), "ztf"))
    season(seen, 40)
    assert known(seen, arrivals(0, np.zeros(NIGHT), "ztf")) == NIGHT


def test_history_in_whatever_order_moves_no_clock():
    """As after a restart: the nights of a season backwards, with the absurd dates of all of them at the end."""
    seen = SeenAlerts(window_days=10)
    for night in reversed(range(20)):
        seen.restore(arrivals(night * NIGHT, np.full(NIGHT, 61000.0 + night)))
    seen.restore(arrivals(10**9, np.full(2 * RECENT, 200_000.0)))
    season(seen, 1, first_night=20)
    assert known(seen, arrivals(0, np.zeros(20 * NIGHT))) == 20 * NIGHT
    season(seen, 20, first_night=21)
    assert len(seen) < 12 * NIGHT
