"""Limits: what is held back, why, and that a new process goes on where the old one stopped."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from broker.filters.limits import Limiter, Limits

NAMES = pa.list_(pa.utf8())
COLUMNS = pa.schema(
    [
        ("survey", pa.utf8()),
        ("objectId", pa.utf8()),
        ("night", pa.int32()),
        ("mjdTai", pa.float64()),
        ("matchedFilters", NAMES),
    ]
)


@dataclass(frozen=True)
class Wanted:
    name: str
    limits: Limits = field(default_factory=Limits)


def alert(
    mjd: float, name: str | None = "o", filters: tuple[str, ...] = ("f",), survey: str = "lsst"
) -> dict[str, Any]:
    return {"survey": survey, "objectId": name, "night": 20260300 + int(mjd), "mjdTai": mjd, "matchedFilters": filters}


def table(*alerts: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(alerts), schema=COLUMNS)


def sent(limits: Limits, *alerts: dict[str, Any]) -> tuple[list[bool], dict[str, int]]:
    delivered, cut = Limiter([Wanted("f", limits)]).apply(table(*alerts))
    return ["f" in names for names in delivered.to_pylist()], dict(cut.get("f", {}))


def test_without_limits_all_is_sent() -> None:
    delivered, cut = Limiter([Wanted("f")]).apply(table(alert(1, filters=("f", "g")), alert(2, filters=())))
    assert delivered.to_pylist() == [["f", "g"], []]
    assert cut == {}
    assert not Limits()


def test_per_night_counts_alerts_of_a_night() -> None:
    alerts = [alert(1.1, "a"), alert(1.2, "b"), alert(1.3, None), alert(2.1, "a"), alert(2.2, None), alert(2.3, "c")]
    assert sent(Limits(per_night=2), *alerts) == ([True, True, False, True, True, False], {"perNight": 2})


def test_per_object_counts_alerts_of_an_object_and_survey() -> None:
    alerts = [alert(1), alert(2), alert(3), alert(3, survey="ztf"), alert(4, None), alert(5, None), alert(6, None)]
    assert sent(Limits(per_object=2), *alerts) == ([True, True, False, True, True, True, True], {"perObject": 1})


def test_the_pause_holds_in_both_directions_of_time() -> None:
    alerts = [alert(10.0), alert(11.9), alert(12.0), alert(9.0), alert(8.0), alert(10.0, None), alert(11.0, "p")]
    wanted = [True, False, True, False, True, True, True]
    assert sent(Limits(cooldown_days=2.0), *alerts) == (wanted, {"cooldownDays": 2})


def test_what_one_limit_holds_back_uses_up_no_other() -> None:
    alerts = [alert(1.0, "a"), alert(1.1, "a"), alert(1.2, "b"), alert(1.3, "c")]
    wanted = ([True, False, True, False], {"perObject": 1, "perNight": 1})
    assert sent(Limits(per_night=2, per_object=1), *alerts) == wanted


def test_filters_have_books_of_their_own() -> None:
    limiter = Limiter([Wanted("f", Limits(per_object=1)), Wanted("g", Limits(per_night=1)), Wanted("h")])
    alerts = table(
        alert(1, filters=("f", "g", "h")), alert(1.5, filters=("h", "g", "f")), alert(1.7, "p", filters=("f",))
    )
    delivered, cut = limiter.apply(alerts)
    assert delivered.to_pylist() == [["f", "g", "h"], ["h"], ["f"]]
    assert cut == {"f": Counter(perObject=1), "g": Counter(perNight=1)}
    assert delivered.type == NAMES


def test_an_empty_batch_is_fine() -> None:
    limiter = Limiter([Wanted("f", Limits(per_object=1))])
    assert limiter.apply(table())[0].to_pylist() == []
    limiter.replay(table().rename_columns([*COLUMNS.names[:-1], "deliveredTo"]))


limits = st.builds(
    Limits,
    st.none() | st.integers(1, 3),
    st.none() | st.integers(1, 3),
    st.none() | st.floats(0.1, 3),
)
alerts_of = st.lists(
    st.builds(
        alert,
        st.floats(0, 6).map(lambda t: round(t, 2)),
        st.sampled_from(["a", "b", None]),
        st.sets(st.sampled_from("fgh")).map(lambda names: tuple(sorted(names))),
    ),
    max_size=20,
)


@given(limits, limits, alerts_of, st.data())
def test_cuts_between_batches_and_restarts_change_nothing(
    one: Limits, other: Limits, alerts: list[dict[str, Any]], data: st.DataObject
) -> None:
    filters = [Wanted("f", one), Wanted("g", other)]
    whole, cut = Limiter(filters).apply(table(*alerts))
    at = data.draw(st.integers(0, len(alerts)))
    running = Limiter(filters)
    first, cut_first = running.apply(table(*alerts[:at]))
    restarted = Limiter(filters)
    restarted.replay(table(*alerts[:at]).append_column("deliveredTo", first))
    second, cut_second = restarted.apply(table(*alerts[at:]))
    assert first.to_pylist() + second.to_pylist() == whole.to_pylist()
    assert running.apply(table(*alerts[at:]))[0].to_pylist() == second.to_pylist()
    for name in "fg":
        assert cut_first.get(name, Counter()) + cut_second.get(name, Counter()) == cut.get(name, Counter())


@given(limits, limits, limits, alerts_of, alerts_of)
def test_changed_limits_count_what_was_sent_before(
    before: Limits, after: Limits, again: Limits, alerts: list[dict[str, Any]], later: list[dict[str, Any]]
) -> None:
    """Filter f changes its limits twice, g keeps its own, h is new: as if a new process replayed everything."""
    limiter = Limiter([Wanted("f", before), Wanted("g", before)])
    sent = table(*alerts).append_column("deliveredTo", limiter.apply(table(*alerts))[0])
    for limits in (after, again):
        filters = [Wanted("f", limits), Wanted("g", before), Wanted("h", limits)]
        limiter, unknown = limiter.with_filters(filters)
        limiter.replay(sent, unknown)
    fresh = Limiter(filters)
    fresh.replay(sent)
    assert "g" not in unknown
    delivered, cut = limiter.apply(table(*later))
    expected, expected_cut = fresh.apply(table(*later))
    assert (delivered.to_pylist(), cut) == (expected.to_pylist(), expected_cut)


def test_only_what_was_not_written_down_is_asked_for() -> None:
    limiter = Limiter([Wanted("nightly", Limits(per_night=5)), Wanted("object", Limits(per_object=5)), Wanted("free")])
    now = [
        Wanted("nightly", Limits(per_night=1)),
        Wanted("object", Limits(cooldown_days=2)),
        Wanted("free", Limits(per_night=5)),
        Wanted("new", Limits(per_object=1)),
        Wanted("new-and-free"),
    ]
    limiter, unknown = limiter.with_filters(now)
    assert unknown == ("free", "new")
    now[0] = Wanted("nightly", Limits(per_night=1, per_object=1))
    assert limiter.with_filters(now)[1] == ("nightly",)


def test_a_filter_that_is_gone_and_comes_back_is_asked_for() -> None:
    f = Wanted("f", Limits(per_object=1))
    without, unknown = Limiter([f]).with_filters([])
    assert unknown == ()
    assert without.with_filters([f])[1] == ("f",)


@given(limits, alerts_of)
def test_what_matches_is_sent_or_counted(wanted: Limits, alerts: list[dict[str, Any]]) -> None:
    delivered, cut = Limiter([Wanted("f", wanted)]).apply(table(*alerts))
    matched = sum("f" in each["matchedFilters"] for each in alerts)
    assert sum("f" in names for names in delivered.to_pylist()) + sum(cut.get("f", Counter()).values()) == matched
    for each, names in zip(alerts, delivered.to_pylist(), strict=True):
        assert set(names) <= set(each["matchedFilters"])
