import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classifiers._rows import normalise, row_sum, safe_log, softmax

ROWS = arrays(np.float64, st.tuples(st.integers(1, 70), st.integers(2, 20)), elements=st.floats(-50, 50))


@given(ROWS, st.integers(0, 69))
def test_a_row_of_a_softmax_is_the_same_alone(scores, k):
    k %= len(scores)
    assert softmax(scores)[k].tobytes() == softmax(scores[[k]])[0].tobytes()


@given(ROWS)
def test_softmax_rows_sum_to_1(scores):
    np.testing.assert_allclose(softmax(scores).sum(axis=1), 1, atol=1e-14)


@given(ROWS)
def test_layout_in_memory_changes_no_bit(scores):
    assert softmax(scores).tobytes() == np.ascontiguousarray(softmax(np.asfortranarray(scores))).tobytes()


def test_known_sums():
    np.testing.assert_array_equal(row_sum(np.array([[1.0, 2.0, 3.0], [0.5, 0.25, 0.25]])), [6.0, 1.0])
    np.testing.assert_array_equal(normalise(np.array([[1.0, 3.0]])), [[0.25, 0.75]])


def test_the_logarithm_of_zero_is_finite():
    assert np.isfinite(safe_log(np.zeros((1, 3)))).all()
