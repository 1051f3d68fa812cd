"""How far Kafka is ahead: by the books, and by what Kafka says when it is asked."""

import logging

import pytest

from broker.books.ledger import Span
from broker.kafka.run_settings import KafkaSource
from broker.local._ports import free_ports
from broker.metrics import lag as lags
from broker.metrics.lag import Lag


def source(**given):
    return KafkaSource(**{"kind": "kafka", "brokers": "localhost:9", "topics": ["a"], **given})


def test_what_is_in_the_books_or_expired_does_not_wait():
    lag = Lag(source())
    lag.ends = {"a/0": Span(0, 10), "a/1": Span(6, 10), "a/2": Span(3, 10), "a/3": Span(0, 4)}
    positions = {"a/0": Span(0, 7), "a/1": Span(0, 2), "a/3": Span(0, 9)}
    assert lag.behind(positions) == {"a/0": 3, "a/1": 4, "a/2": 7, "a/3": 0}


def test_a_broker_that_is_away_is_told_once_and_asked_again(monkeypatch, caplog):
    monkeypatch.setattr(lags, "TIMEOUT_SECONDS", 1.0)
    lag = Lag(source(brokers=f"localhost:{free_ports(1)[0]}"))
    with caplog.at_level(logging.WARNING):
        lag.ask()
        lag.ask()
    assert (lag.up, lag.answered, lag.ends) == (False, None, {})
    assert lag.asked is not None
    told = [record.message for record in caplog.records if record.name == lags.__name__]
    assert [message.startswith("the lag isn't known: ") for message in told] == [True]


@pytest.mark.slow
def test_a_real_broker_tells_the_ends(kafka, topic):
    name = topic("lag", 2)
    kafka.produce(name, b"1", b"2", b"3", partition=1)
    lag, latest = (Lag(source(brokers=kafka.brokers, topics=[name], start=start)) for start in ("earliest", "latest"))
    for each in (lag, latest):
        each.ask()
        assert each.up
    assert lag.behind({}) == {f"{name}/0": 0, f"{name}/1": 3}
    assert lag.behind({f"{name}/1": Span(0, 2)}) == {f"{name}/0": 0, f"{name}/1": 1}
    assert latest.behind({}) == {f"{name}/0": 0, f"{name}/1": 0}
    kafka.produce(name, b"4", partition=1)
    latest.ask()
    assert latest.behind({}) == {f"{name}/0": 0, f"{name}/1": 1}
