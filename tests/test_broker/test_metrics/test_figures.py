"""The metrics' values: what the ledger says, and what was seen of real alerts."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from broker._utc import unix_seconds
from broker.annotate import schema_for
from broker.books.reasons import REASON_KINDS
from broker.commit import Publishing
from broker.filters.definition import Filter
from broker.metrics.catalogue import METRICS
from broker.metrics.exposition import ERRORS, LEFT_OUT, StateCollector, all_figures
from broker.metrics.family import discover
from broker.outgoing.destinations import Topics, destinations
from broker.pipeline import Outcome
from broker.sources.kafka import MESSAGES
from classifiers.bundle import Bundle
from schemas.annotation import camel_case
from schemas.packets import STAGES


def test_every_metric_has_a_function_and_every_function_a_metric() -> None:
    names = [name for family in discover() for name in family.figures]
    assert sorted([*names, ERRORS, LEFT_OUT]) == sorted(metric.name for metric in METRICS)


def test_totals_are_those_of_the_ledger(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    for number, outcome in enumerate(outcomes):
        run.take(number, outcome)
    books = json.loads(run.run.ledger.read_text())
    assert run.series("boreal_alerts_received_total") == {(): books["received"]}
    assert run.series("boreal_alerts_duplicate_total") == {(): books["duplicates"]} != {(): 0}
    assert run.series("boreal_dead_letters_waiting") == {(): books["deadLettered"]} == {(): 2}
    assert run.series("boreal_ledger_difference") == {(): 0}
    for name, key in (
        ("boreal_alerts_annotated_total", "surveys"),
        ("boreal_alerts_dead_lettered_total", "rejectStages"),
        ("boreal_dead_letter_reasons_total", "rejectReasons"),
        ("boreal_not_classified_total", "notClassified"),
        ("boreal_deliveries_total", "deliveries"),
    ):
        assert above_zero(run.series(name)) == {(label,): count for label, count in books[key].items() if count}, name
    assert sum(run.series("boreal_alerts_annotated_total").values()) == books["annotated"]
    schemas = {" ".join(labels): count for labels, count in run.series("boreal_schema_alerts_total").items()}
    assert schemas == books["schemas"]


def test_what_a_limit_held_back_is_told_by_filter_and_limit(
    watched: Callable[..., Any], outcomes: list[Outcome]
) -> None:
    run = watched()
    run.take(0, replace(outcomes[0], filter_errors=Counter({"mine": 10})))
    total = run.committer.ledger.total
    total.cut.update({"few": Counter(perNight=3), "rare": Counter(perObject=1)})
    assert run.series("boreal_cut_total") == {("few", "perNight"): 3, ("rare", "perObject"): 1}
    assert above_zero(run.series("boreal_filter_errors_total")) == {("mine",): 10}


def above_zero(series: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {labels: value for labels, value in series.items() if value}


def test_what_may_happen_is_told_before_it_does_so_that_its_first_time_is_seen(
    watched: Callable[..., Any], filters: tuple[Filter, ...]
) -> None:
    run = watched()
    names = {(each.name,): 0 for each in filters}
    assert run.series("boreal_deliveries_total") == run.series("boreal_filter_errors_total") == names != {}
    assert run.series("boreal_alerts_dead_lettered_total") == {(stage,): 0 for stage in STAGES}
    assert run.series("boreal_dead_letter_reasons_total") == {(kind,): 0 for kind in REASON_KINDS}


def test_messages_too_large_are_told_for_every_place_that_any_may_go_to(
    watched: Callable[..., Any], filters: tuple[Filter, ...], bundle: Bundle
) -> None:
    run = watched()
    topics = Topics("boreal-{filter}", annotations="all")
    places = destinations(filters, schema_for(bundle.manifest), topics, lambda _topic, _avro: 1)
    run.committer.publishing = Publishing(lambda _: None, 10, places)
    run.committer.ledger.total.undeliverable["gone"] = 3
    expected = {(place.name,): 0.0 for place in places} | {("gone",): 3.0}
    assert run.series("boreal_undeliverable_total") == expected
    assert len(expected) > len(filters)


def test_the_disk_of_the_run_has_room(watched: Callable[..., Any]) -> None:
    run = watched()
    whole, free = run.series("boreal_disk_bytes")[()], run.series("boreal_disk_free_bytes")[()]
    assert 0 < free < whole


def test_counters_of_the_ledger_go_on_after_a_restart(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    first = watched()
    first.take(0, outcomes[0])
    again = watched()
    assert again.series("boreal_alerts_received_total") == first.series("boreal_alerts_received_total") != {(): 0}
    again.take(1, outcomes[1])
    received = outcomes[0].received + outcomes[1].received
    assert again.series("boreal_alerts_received_total") == {(): received}


def test_a_dead_letter_that_was_replayed_stays_counted(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    run.take(0, outcomes[2])
    total = run.committer.ledger.total
    assert total.reject_stages == {"decode": 2}
    total.reject_stages["decode"] -= 2
    total.replayed["decode"] += 2
    assert above_zero(run.series("boreal_alerts_dead_lettered_total")) == {("decode",): 2}


def test_latencies_are_those_of_the_alerts_times(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    annotations = outcomes[0].annotations
    n = annotations.num_rows
    now = time.time()
    mjd = (now - 90.0 + 37.0) / 86_400.0 + 40_587.0
    recent = annotations.set_column(
        annotations.schema.get_field_index("mjdTai"), annotations.schema.field("mjdTai"), pa.array([mjd] * n)
    )
    origins = pa.array([f"t/0/{k}" for k in range(n)])
    recent = recent.set_column(recent.schema.get_field_index("origin"), recent.schema.field("origin"), origins)
    messages = [
        {"topic": "t", "partition": 0, "offset": k, "timestamp": int((now - 4.0) * 1000), "size": 1} for k in range(n)
    ]
    outcome = Outcome(recent, outcomes[0].rejects, n)
    run.take(0, outcome, pa.Table.from_pylist(messages, schema=MESSAGES))
    for name, seconds, count in (
        ("boreal_observation_latency_seconds", 90.0, n),
        ("boreal_kafka_latency_seconds", 4.0, n),
        ("boreal_delivery_latency_seconds", 4.0, delivered(run)),
    ):
        series = run.series(name)
        assert sum(value for labels, value in series.items() if labels[-1:] == ("+Inf",)) == count > 0, name
        mean = total(run, name) / count
        assert seconds - 0.1 <= mean < seconds + 10, name


def total(run: Any, name: str) -> float:
    collector = StateCollector(run.state, {name: all_figures()[name]})
    return sum(s.value for metric in collector.collect() for s in metric.samples if s.name == f"{name}_sum")


def delivered(run: Any) -> int:
    lists = run.taken[0].written.annotations["deliveredTo"].to_pylist()
    return sum(bool(names) for names in lists)


def test_mjd_tai_becomes_unix_time() -> None:
    from astropy.time import Time

    moment = Time("2026-11-29T03:04:05", scale="utc")
    assert unix_seconds(pa.array([moment.tai.mjd]).to_numpy())[0] == pytest.approx(moment.unix, abs=1e-4)


def test_steps_of_workers_and_driver_add_up(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    run.take(0, outcomes[0])
    run.take(1, outcomes[1])
    stages = run.series("boreal_stage_seconds_total")
    assert stages["decode",] == 1.0
    assert stages.keys() == {("decode",), ("commit",), ("publish",)}
    assert stages["commit",] > 0


def test_the_last_delivery_of_a_filter_is_remembered_and_one_that_is_gone_isn_t_told(
    watched: Callable[..., Any], outcomes: list[Outcome]
) -> None:
    from broker.metrics import memory

    run, before = watched(), time.time()
    run.take(0, outcomes[0])
    sent = run.series("boreal_last_delivery_timestamp_seconds")
    assert sent
    assert {name for (name,) in sent} == set(run.committer.ledger.total.deliveries)
    assert all(before <= at <= time.time() for at in sent.values())
    memory.save(run.state)
    again = watched()
    memory.restore(again.state)
    assert again.series("boreal_last_delivery_timestamp_seconds") == sent
    assert again.series("boreal_last_batch_timestamp_seconds") == run.series("boreal_last_batch_timestamp_seconds")
    again.state.service.filters = ()
    assert again.series("boreal_last_delivery_timestamp_seconds") == {}


def test_filters_in_use_and_refused_are_told(watched: Callable[..., Any]) -> None:
    run = watched()
    filters = run.state.service.filters
    assert run.series("boreal_filters") == {("active",): len(filters), ("refused",): 2}
    assert run.series("boreal_filter_info") == {(each.name, each.version): 1 for each in filters}


def test_what_waits_in_the_outbox_is_counted_by_a_later_life_too(watched: Callable[..., Any]) -> None:
    from broker.outgoing.outbox import OUTGOING, Outbox

    run = watched()
    assert run.series("boreal_outbox_messages") == run.series("boreal_outbox_oldest_seconds") == {(): 0}
    row = {"topic": "t", "key": "k", "value": b"v", "headers": []}
    Outbox(run.run).put("part-0123abcd-00000000", pa.Table.from_pylist([row] * 1500, schema=OUTGOING))
    assert run.series("boreal_outbox_messages") == {(): 1500}
    assert 0 <= run.series("boreal_outbox_oldest_seconds")[()] < 60
    list(run.committer.outbox.deliver(lambda messages: Counter(messages["topic"].to_pylist())))
    assert run.series("boreal_outbox_messages") == {(): 0}


def test_the_last_reconciliation_is_told(watched: Callable[..., Any]) -> None:
    from broker.commands.reconcile import _note

    run = watched()
    assert run.series("boreal_reconcile_differences") == {}
    _note(run.run, 3)
    assert run.series("boreal_reconcile_differences") == {(): 3}
    assert time.time() - 60 < run.series("boreal_reconcile_timestamp_seconds")[()] <= time.time()


def test_model_and_code_are_told(watched: Callable[..., Any]) -> None:
    run = watched()
    assert run.series("boreal_model_info") == {("abababababab", "1.0"): 1}
    ((version, features),) = run.series("boreal_code_info")
    assert camel_case(version) == version
    assert len(features) == 12


def test_the_process_is_told_of(watched: Callable[..., Any]) -> None:
    import os

    run = watched()
    run.state.java = os.getppid()
    memory_of = run.series("boreal_process_resident_bytes")
    assert memory_of["python",] > 10e6
    assert memory_of.keys() == {("python",), ("java",), ("workers",)}
    assert run.series("boreal_process_cpu_seconds_total").keys() == {("python",), ("java",)}
    assert run.series("boreal_java_up") == {(): 1}
    run.state.java = 2**22 + 1  # no process has such a number
    assert run.series("boreal_java_up") == {(): 0}
    assert run.series("boreal_healthy") == {(): 0}
    assert "Java" in (run.state.unhealthy or "")
