"""Healthy is who makes progress or waits for packets; ready is who takes micro-batches."""

import pytest

from broker.metrics.pulse import ENDING, PLANNING, STARTING, Pulse


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pulse(clock):
    return Pulse(900.0, clock)


def test_from_the_start_to_the_end(pulse, clock):
    assert (pulse.unhealthy, pulse.unready) == (None, STARTING)
    pulse.look(planning=False)
    assert (pulse.unhealthy, pulse.unready) == (None, None)
    pulse.begin(0)
    clock.now += 5
    assert (pulse.unhealthy, pulse.unready, pulse.batch_age) == (None, None, 5)
    pulse.done()
    assert pulse.batch_age == 0
    pulse.end()
    assert (pulse.unhealthy, pulse.unready) == (None, ENDING)


def test_waiting_for_packets_is_healthy_for_ever(pulse, clock):
    for _ in range(100):
        pulse.look(planning=False)
        clock.now += 600
    assert pulse.unhealthy is None


@pytest.mark.parametrize("what", ["start", "batch", "planning", "end"])
def test_no_progress_is_told_with_what_it_was_at(pulse, clock, what):
    if what != "start":
        pulse.look(planning=False)
    if what == "batch":
        pulse.begin(7)
    if what == "end":
        pulse.end()
    for _ in range(10):
        clock.now += 90
        if what in ("batch", "planning"):
            pulse.look(planning=True)
    assert pulse.unhealthy is None
    clock.now += 91
    if what in ("batch", "planning"):
        pulse.look(planning=True)
    expected = {"start": STARTING, "batch": "the workers are at micro-batch 7", "planning": PLANNING, "end": ENDING}
    assert pulse.unhealthy is not None
    assert pulse.unhealthy.startswith("no progress for ")
    assert pulse.unhealthy.endswith(expected[what])


def test_a_beat_is_progress(pulse, clock):
    pulse.begin(1)
    clock.now += 800
    pulse.beat("micro-batch 1 is committed")
    clock.now += 800
    assert pulse.unhealthy is None
    assert pulse.batch_age == 1600


def test_planning_that_ends_now_and_then_is_no_standstill(pulse, clock):
    for _ in range(20):
        clock.now += 500
        pulse.look(planning=True)
        clock.now += 1
        pulse.look(planning=False)
    assert pulse.unhealthy is None


def test_a_driver_that_no_longer_looks_is_stuck(pulse, clock):
    pulse.look(planning=False)
    clock.now += 901
    assert pulse.unhealthy == "the driver hasn't looked at the stream for 901 s"
