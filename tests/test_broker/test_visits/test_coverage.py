"""Alerts added up by visit: the same whatever the pieces and their order, and the same as a plain reading."""

from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from broker.errors import WrongInputError
from broker.tables.dataset import annotations_at
from broker.visits.coverage import PIECE, Coverage, piece_of, pieces
from broker.visits.late import count_late, first_of_later

SECOND = 1000
STARTED = 1_772_000_000_000

rows = st.fixed_dictionaries(
    {
        "survey": st.sampled_from(["lsst", "other"]),
        "visit": st.none() | st.integers(1, 5),
        "detector": st.none() | st.integers(0, 6),
        "band": st.none() | st.sampled_from("gr"),
        "mjdTai": st.integers(0, 3).map(lambda k: 61109.0 + k / 4),
        "came": st.none() | st.integers(0, 100).map(lambda k: STARTED + k * SECOND),
    }
)


def frame(alerts):
    observed = [STARTED + round((alert["mjdTai"] - 61109.0) * 86_400_000) for alert in alerts]
    given_rows = [alert | {"observed": when} for alert, when in zip(alerts, observed, strict=True)]
    return pl.DataFrame(given_rows, schema=PIECE)


def added(parts):
    found = Coverage()
    for part in parts:
        found.add(part)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40), st.randoms(use_true_random=False), st.lists(st.integers(1, 7), max_size=20))
def test_pieces_and_their_order_change_nothing(alerts, random, sizes):
    whole = added([frame(alerts)])
    shuffled = alerts.copy()
    random.shuffle(shuffled)
    parts = []
    for size in sizes:
        parts, shuffled = [*parts, shuffled[:size]], shuffled[size:]
    cut = added([frame(part) for part in [*parts, shuffled] if part])
    assert_frame_equal(whole.visits(), cut.visits())
    assert whole.without == cut.without


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40))
def test_it_says_what_a_plain_reading_says(alerts):
    found = added([frame(alerts)])
    by_visit = defaultdict(list)
    for alert in frame(alerts).iter_rows(named=True):
        by_visit[alert["survey"], alert["visit"]].append(alert)
    nowhere = {survey: len(group) for (survey, visit), group in by_visit.items() if visit is None}
    assert found.without == nowhere
    told = {(row["survey"], row["visit"]): row for row in found.visits().iter_rows(named=True)}
    assert told.keys() == {key for key in by_visit if key[1] is not None}
    for key, row in told.items():
        group = by_visit[key]
        bands = {alert["band"] for alert in group} - {None}
        came = [alert["came"] for alert in group if alert["came"] is not None]
        assert row["band"] == (bands.pop() if len(bands) == 1 else None)
        assert row["detectors"] == len({alert["detector"] for alert in group} - {None})
        assert (row["alerts"], row["stamped"]) == (len(group), len(came))
        assert row["observed"] == min(alert["observed"] for alert in group)
        assert (row["firstCame"], row["lastCame"]) == ((min(came), max(came)) if came else (None, None))


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40), st.integers(1, 7))
def test_late_is_what_came_after_the_first_of_a_later_visit(alerts, size):
    whole = frame(alerts).filter(pl.col("visit").is_not_null())
    visits = first_of_later(added([whole]).visits())
    parts = [whole.slice(start, size) for start in range(0, len(whole), size)]
    counted = {tuple(row[:2]): row[2] for row in count_late(parts, visits).iter_rows()}
    order = {key: k for k, key in enumerate(visits.select("survey", "visit").iter_rows())}
    expected = defaultdict(int)
    for alert in whole.iter_rows(named=True):
        mine = order[alert["survey"], alert["visit"]]
        later = [
            other["came"] for other in whole.iter_rows(named=True)
            if other["survey"] == alert["survey"] and order[other["survey"], other["visit"]] > mine and other["came"]
        ]  # fmt: skip
        if alert["came"] and later and alert["came"] > min(later):
            expected[alert["survey"], alert["visit"]] += 1
    assert counted == expected


def test_a_night_s_files_are_read_once_and_no_others(write, alert, table_of):
    nights = [table_of([alert(1, 0, 30, mjdTai=61109.2 + day) for _ in range(day + 1)]) for day in range(3)]
    table, files = annotations_at(write([*nights, nights[0]])), []
    found = {night: sum(len(part) for part in parts) for night, parts in pieces(table, None, lambda: files.append(1))}
    assert found == {20260309: 2, 20260310: 2, 20260311: 3}
    assert len(files) == 4
    assert [night for night, _ in pieces(table, [20260310])] == [20260310]


def test_a_table_without_visits_is_told(write, alert, table_of):
    table = annotations_at(write([table_of([alert(1, 0, 30)]).drop_columns("visit")]))
    with pytest.raises(WrongInputError, match=r"no column visit.* that didn't know visits"):
        list(pieces(table, None))


def test_without_time_stamps_there_is_none(alert, table_of):
    piece = piece_of(table_of([alert(1, 0, 30)]).drop_columns("kafkaTimestamp"))
    assert piece["came"].to_list() == [None]
    assert piece.schema == pl.Schema(PIECE)
