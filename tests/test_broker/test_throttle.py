"""A micro-batch takes as many messages as fit, whatever their size."""

from hypothesis import given
from hypothesis import strategies as st

from broker.kafka.throttle import TOO_LARGE, TOO_SMALL, Throttle

sizes = st.integers(1, 10**9)
batches = st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 10**12)))


@given(st.integers(1, 10**6), sizes, st.none() | st.floats(1, 1e9), batches)
def test_it_takes_one_at_least_and_never_more_than_the_most(most, room, mean, given_batches):
    throttle = Throttle(most, room, mean)
    for messages, size in given_batches:
        throttle.adapt(messages, size)
        assert 1 <= throttle.messages <= most


@given(st.integers(1, 10**6), st.integers(10**3, 10**12), st.integers(1, 10**5), st.integers(1, 10**6))
def test_what_it_takes_of_messages_like_those_before_fits(most, room, messages, each):
    throttle = Throttle(most, room)
    throttle.adapt(messages, messages * each)
    assert throttle.messages == 1 or throttle.messages * each <= room * 1.000001


@given(st.integers(1, 10**6), sizes, batches)
def test_it_says_whether_the_number_is_another_now(most, room, given_batches):
    throttle = Throttle(most, room)
    for messages, size in given_batches:
        before = throttle.messages
        assert throttle.adapt(messages, size) == (throttle.messages != before)


@given(st.floats(10, 1e6), st.floats(TOO_SMALL * 1.01, TOO_LARGE * 0.99))
def test_a_little_larger_or_smaller_changes_nothing(mean, factor):
    throttle = Throttle(1000, 10**5, mean)
    before = throttle.messages
    assert not throttle.adapt(1000, int(1000 * mean * factor))
    assert (throttle.messages, throttle.mean_bytes) == (before, mean)


def test_larger_messages_make_smaller_batches_and_smaller_ones_larger_again():
    throttle = Throttle(4000, 500_000_000, 100_000.0)
    assert throttle.messages == 4000
    assert throttle.adapt(4000, 4000 * 1_000_000)
    assert throttle.messages == 500
    assert throttle.adapt(500, 500 * 200_000)
    assert throttle.messages == 2500
    assert not throttle.adapt(0, 0)
