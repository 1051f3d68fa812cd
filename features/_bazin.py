"""The joint six-band Bazin fit: one rise and fall for all bands, one amplitude a band.

The model is that of Bazin et al. 2009 (A&A 499, 653, equation 1) without its constant, for difference flux has none:
``f_b(t) = A_b exp(-(t - t0) / fall) / (1 + exp(-(t - t0) / rise))``. Written with the e-folding time ``climb`` of its
early part, ``1 / climb = 1 / rise - 1 / fall``, it is ``A_b / (exp(x / fall) + exp(-x / climb))`` with ``x = t - t0``,
which peaks at ``x = rise ln(fall / climb)``. Fitted are the time of the peak and the logarithms of climb and fall, by
Levenberg-Marquardt; the amplitudes are solved linearly at every step (variable projection, Golub & Pereyra 1973, SIAM
J. Numer. Anal. 10, 413, with Kaufman's Jacobian).

A wide prior on the three keeps what the data don't say near the ordinary, such as the peak of a supernova that rose
before its season; anywhere else its weight of at most a few units of chi2 is nothing.

An object's points lie band by band, by time within a band. What is done point by point has loops of its own, which the
compiler turns into vector instructions; the sums follow band by band, so that they stay in registers. Every sum runs
over points of one object in their order of time, so a row never depends on its company.
"""

import math
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from features._jit import N_BANDS, Floats, Ints, fma, kernel

N_SHAPE = 3
PEAK, CLIMB, FALL = range(N_SHAPE)
"""Places in the vector of shape parameters: days since the observed peak, and natural logarithms of days."""

STARTS = np.log([[0.2, 0.6], [2.0, 6.0], [4.0, 20.0], [12.0, 45.0], [40.0, 120.0]])
"""Starting values of the logarithms of climb and fall; the best of them is refined."""

PRIOR_MEAN = np.array([0.0, math.log(5.0), math.log(30.0)])
PRIOR_WIDTH = np.array([20.0, 1.5, 1.5])
"""A normal prior: the observed peak, and times of supernovae within factors of 4.5."""

SHORTEST, LONGEST, REACH = math.log(0.02), math.log(2000.0), 100.0
"""Bounds of the two times [ln d], and how far outside the light curve the peak may lie [d]."""

MAX_STEPS = 30
TOLERANCE = 1e-5
"""Relative gain at which the fit has converged."""

STALLED = 1e6
"""Damping at which steps are too small to matter."""

OUT_OF_SIGHT = 30.0
"""Fall or climb times from t0 beyond which the model is nothing."""

IN_SIGHT = 0.05
"""A band's peak is known where one of its points sees the model at this share of its peak, or more."""

_TIME, _DATA, _WEIGHT, _VALUE, _SHARE, _DERIVATIVE, _N_ROWS = 0, 1, 2, 3, 4, 5, 8
"""Rows of an object's points: days since the observed peak, flux in errors and 1 / error, both scaled; and of the shape
under trial the model's value, the share of its falling term (see `_profile`), and three derivatives d ln v / d p_j."""

_VV, _VY, _VVD, _VVDD, _VVDE, _VYD, _N_SUMS = 0, 1, 2, 5, 8, 11, 14
"""Rows of the sums a band: v v, v y, v v d_j, v v d_j d_j, v v d_j d_k, v y d_j; v the model and y the data, both in
errors, and d_j the derivatives."""

N_RESULTS = 6
"""Columns of the results before the bands' peak fluxes: t0 and peak [d since the observed peak], rise, fall [d],
reduced chi2, and 1 less the ratio of chi2 to that of one constant a band."""

_PER_OCTAVE, _TO_EXPONENT = 128, 45
"""Powers of 2 in the table of `_exp`, and how far left their number stands in the exponent of a double."""

_LEAST = -500.0
"""The lowest argument of `_exp`."""

_ROUNDER = 1.5 * 2.0**52
"""A double with this added has the nearest integer in its last bits."""

_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fefap-8"), float.fromhex("0x1.cf79abc9e3b3ap-47")
"""ln(2) / 128 in two parts."""

_C2, _C3 = float.fromhex("0x1.ffffffffffdbdp-2"), float.fromhex("0x1.555555555543cp-3")
_C4, _C5 = float.fromhex("0x1.55555cf172b91p-5"), float.fromhex("0x1.1111167a4d017p-7")
"""Nearly 1/2, 1/6, 1/24, 1/120: the polynomial nearest to exp(r) - 1 - r within +-ln(2) / 256."""


def _powers_of_two() -> tuple[NDArray[np.uint64], Floats]:
    """2^(k / 128) as bits, less what adding k to them adds; and the relative error of its rounding."""
    bits, error = np.empty(_PER_OCTAVE, np.uint64), np.empty(_PER_OCTAVE)
    with localcontext() as context:
        context.prec = 40
        for k in range(_PER_OCTAVE):
            exact = Decimal(2) ** (Decimal(k) / _PER_OCTAVE)
            rounded = float(exact)
            bits[k] = (int(np.float64(rounded).view(np.uint64)) - (k << _TO_EXPONENT)) % 2**64
            error[k] = float((exact - Decimal(rounded)) / Decimal(rounded))
    return bits, error


_POWER_BITS, _POWER_ERROR = _powers_of_two()


@kernel
def _exp(x: float) -> float:
    """The exponential of at most 500, where what is below -500 counts as -500: nothing here can tell.

    A table and a polynomial after Tang 1989, ACM Trans. Math. Softw. 15, 144, in the form and with the coefficients of
    Arm's Optimized Routines, so that it gives the bits of glibc's. Unlike a call of that, it goes into loops of vector
    instructions, and is the same on every machine.
    """
    x = max(x, _LEAST)
    shifted = fma(x, 128.0 / math.log(2.0), _ROUNDER)
    k = np.float64(shifted).view(np.uint64)
    whole = shifted - _ROUNDER
    r = fma(whole, -_LN2_HIGH, x)
    r = fma(whole, -_LN2_LOW, r)
    place = k & np.uint64(_PER_OCTAVE - 1)
    power = np.uint64(_POWER_BITS[place] + (k << np.uint64(_TO_EXPONENT))).view(np.float64)
    square = r * r
    low = fma(square, fma(r, _C3, _C2), _POWER_ERROR[place] + r)
    return float(fma(power, fma(square * square, fma(r, _C5, _C4), low), power))


@kernel
def fit_all(
    offsets: Ints,
    peak: Ints,
    edges: Ints,
    place: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    out: Floats,
) -> None:
    """Fit every object with as many points as parameters; `out` has shape (n_objects, `N_RESULTS` + 6).

    `peak` counts points by time; `edges`, `place` and the points by band are those of `features._by_band.ByBand`.
    """
    points, sums = np.empty((_N_ROWS, _longest(offsets))), np.empty((_N_SUMS, N_BANDS))
    for k in range(len(out)):
        start, end = offsets[k], offsets[k + 1]
        ends = edges[k * N_BANDS : (k + 1) * N_BANDS + 1] - start
        freedom = end - start - N_SHAPE - np.count_nonzero(ends[1:] - ends[:-1])
        if freedom < 0:
            continue
        by_time = place[start:end] - start
        _fill(points, mjd[start:end], flux[start:end], flux_err[start:end], mjd[place[peak[k]]])
        data_scale = _normalise(points[_DATA, : end - start])
        weight_scale = _normalise(points[_WEIGHT, : end - start])
        if data_scale > 0.0:
            prior = data_scale**-2
            shape = _best_start(points, ends, prior, sums)
            _refine(points, ends, by_time, prior, shape, sums)
            _report(points, ends, by_time, prior, shape, sums, freedom, out[k])
            for b in range(N_BANDS):
                out[k, N_RESULTS + b] *= data_scale / weight_scale
            out[k, 4] *= data_scale**2


@kernel
def _longest(offsets: Ints) -> int:
    longest = 0
    for k in range(len(offsets) - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    return longest


@kernel
def _fill(points: Floats, mjd: Floats, flux: Floats, flux_err: Floats, peak_mjd: float) -> None:
    for i in range(len(mjd)):
        points[_TIME, i] = mjd[i] - peak_mjd
        points[_DATA, i] = flux[i] / flux_err[i]
        points[_WEIGHT, i] = 1.0 / flux_err[i]


@kernel
def _normalise(values: Floats) -> float:
    """Scale to a largest absolute value of 1, so that no unit of flux is too large or too small for the squares."""
    scale = 0.0
    for value in values:
        scale = max(scale, abs(value))
    for i in range(len(values)):
        values[i] /= scale
    return scale


@kernel
def _profile(x: float, climb: float, fall: float, rise: float) -> tuple[float, float]:
    """1 / (exp(x / fall) + exp(-x / climb)), and the share of the first term in the sum; never overflows.

    Both sides of the peak take the same steps, for a loop of vector instructions has no branches.
    """
    before = x <= 0.0
    small = _exp(-abs(x) / rise)
    large_share = 1.0 / (1.0 + small)
    value = _exp(-abs(x) / (climb if before else fall)) * large_share
    return value, small * large_share if before else large_share


@kernel
def _times(shape: Floats) -> tuple[float, float, float, float]:
    """Climb, fall, rise, and the time from t0 to the peak."""
    climb, fall = math.exp(shape[CLIMB]), math.exp(shape[FALL])
    rise = 1.0 / (1.0 / climb + 1.0 / fall)
    return climb, fall, rise, rise * math.log(fall / climb)


@kernel
def _gain(points: Floats, ends: Ints, prior: float, shape: Floats, sums: Floats) -> float:
    """Fill the model and its sums for a trial shape.

    Returns how much of the data's square it explains, less the prior's penalty.
    """
    _evaluate(points, ends[N_BANDS], shape)
    climb, fall, _, lead = _times(shape)
    gain = 0.0
    for b in range(N_BANDS):
        begin, end = _in_sight(points[_TIME], ends[b], ends[b + 1], shape[PEAK], lead, climb, fall)
        sums[_VV, b], sums[_VY, b] = _amplitude_sums(points, begin, end)
        if sums[_VV, b] > 0.0:
            gain += sums[_VY, b] / sums[_VV, b] * sums[_VY, b]
    for j in range(N_SHAPE):
        gain -= prior * ((shape[j] - PRIOR_MEAN[j]) / PRIOR_WIDTH[j]) ** 2
    return gain


@kernel
def _evaluate(points: Floats, n: int, shape: Floats) -> None:
    time, values, shares = points[_TIME], points[_VALUE], points[_SHARE]
    climb, fall, rise, lead = _times(shape)
    for i in range(n):
        values[i], shares[i] = _profile(time[i] - shape[PEAK] + lead, climb, fall, rise)


@kernel
def _in_sight(
    time: Floats, begin: int, end: int, peak: float, lead: float, climb: float, fall: float
) -> tuple[int, int]:
    """The points of a band at which the model is more than nothing."""
    while begin < end and -(time[begin] - peak + lead) > OUT_OF_SIGHT * climb:
        begin += 1
    while begin < end and time[end - 1] - peak + lead > OUT_OF_SIGHT * fall:
        end -= 1
    return begin, end


@kernel
def _amplitude_sums(points: Floats, begin: int, end: int) -> tuple[float, float]:
    vv = vy = 0.0
    for i in range(begin, end):
        v = points[_WEIGHT, i] * points[_VALUE, i]
        vv += v * v
        vy += v * points[_DATA, i]
    return vv, vy


@kernel
def _differentiate(points: Floats, ends: Ints, shape: Floats, sums: Floats) -> None:
    """Fill the derivatives and their sums at a shape whose model was evaluated last."""
    climb, fall, rise, lead = _times(shape)
    lead_climb, lead_fall = lead * rise / climb - rise, lead * rise / fall + rise
    time, shares = points[_TIME], points[_SHARE]
    in_peak, in_climb, in_fall = points[_DERIVATIVE], points[_DERIVATIVE + 1], points[_DERIVATIVE + 2]
    for i in range(ends[N_BANDS]):
        x, share = time[i] - shape[PEAK] + lead, shares[i]
        d = share / fall - (1.0 - share) / climb
        in_peak[i] = d
        in_climb[i] = -(1.0 - share) * x / climb - d * lead_climb
        in_fall[i] = share * x / fall - d * lead_fall
    for b in range(N_BANDS):
        begin, end = _in_sight(time, ends[b], ends[b + 1], shape[PEAK], lead, climb, fall)
        _derivative_sums(points, begin, end, sums[:, b])


@kernel
def _derivative_sums(points: Floats, begin: int, end: int, sums: Floats) -> None:
    vvd = vve = vvf = vvdd = vvee = vvff = vvde = vvdf = vvef = vyd = vye = vyf = 0.0
    for i in range(begin, end):
        v = points[_WEIGHT, i] * points[_VALUE, i]
        vv, vy = v * v, v * points[_DATA, i]
        d, e, f = points[_DERIVATIVE, i], points[_DERIVATIVE + 1, i], points[_DERIVATIVE + 2, i]
        vvd += vv * d
        vve += vv * e
        vvf += vv * f
        vvdd += vv * d * d
        vvee += vv * e * e
        vvff += vv * f * f
        vvde += vv * d * e
        vvdf += vv * d * f
        vvef += vv * e * f
        vyd += vy * d
        vye += vy * e
        vyf += vy * f
    sums[_VVD], sums[_VVD + 1], sums[_VVD + 2] = vvd, vve, vvf
    sums[_VVDD], sums[_VVDD + 1], sums[_VVDD + 2] = vvdd, vvee, vvff
    sums[_VVDE], sums[_VVDE + 1], sums[_VVDE + 2] = vvde, vvdf, vvef
    sums[_VYD], sums[_VYD + 1], sums[_VYD + 2] = vyd, vye, vyf


@kernel
def _best_start(points: Floats, ends: Ints, prior: float, sums: Floats) -> Floats:
    """The start that explains most, its peak at the observed one."""
    trial, best = np.zeros(N_SHAPE), 0
    most = -np.inf
    for s in range(len(STARTS)):
        trial[CLIMB], trial[FALL] = STARTS[s, 0], STARTS[s, 1]
        gain = _gain(points, ends, prior, trial, sums)
        if gain > most:
            most, best = gain, s
    trial[CLIMB], trial[FALL] = STARTS[best, 0], STARTS[best, 1]
    return trial


@kernel
def _refine(points: Floats, ends: Ints, by_time: Ints, prior: float, shape: Floats, sums: Floats) -> None:
    """Improve `shape` in place."""
    total = 0.0
    for i in by_time:
        total += points[_DATA, i] * points[_DATA, i]
    earliest, latest = points[_TIME, by_time[0]] - REACH, points[_TIME, by_time[-1]] + REACH
    most = _gain(points, ends, prior, shape, sums)
    matrix, gradient = np.empty((N_SHAPE, N_SHAPE)), np.empty(N_SHAPE)
    step, trial = np.empty(N_SHAPE), np.empty(N_SHAPE)
    _differentiate(points, ends, shape, sums)
    _normal_equations(sums, shape, prior, matrix, gradient)
    damping = 0.01
    for _ in range(MAX_STEPS):
        _damped_step(matrix, gradient, damping, step)
        _bounded(shape, step, earliest, latest, trial)
        gain = _gain(points, ends, prior, trial, sums)
        if gain > most:
            converged = gain - most < TOLERANCE * (total - gain)
            most = gain
            for j in range(N_SHAPE):
                shape[j] = trial[j]
            if converged:
                break
            _differentiate(points, ends, shape, sums)
            _normal_equations(sums, shape, prior, matrix, gradient)
            damping = max(0.1 * damping, 1e-9)
        elif damping > STALLED:
            break
        else:
            damping *= 8.0


@kernel
def _normal_equations(sums: Floats, shape: Floats, prior: float, matrix: Floats, gradient: Floats) -> None:
    """Gauss-Newton's matrix and gradient in the shape alone: what amplitudes can absorb is projected out."""
    matrix[:] = 0.0
    for j in range(N_SHAPE):
        matrix[j, j] = prior / PRIOR_WIDTH[j] ** 2
        gradient[j] = (PRIOR_MEAN[j] - shape[j]) * matrix[j, j]
    for b in range(N_BANDS):
        vv = sums[_VV, b]
        if vv <= 0.0:
            continue
        a = sums[_VY, b] / vv
        for j in range(N_SHAPE):
            gj = sums[_VVD + j, b]
            gradient[j] += a * (sums[_VYD + j, b] - a * gj)
            for k in range(j, N_SHAPE):
                product = sums[_VVDD + j, b] if j == k else sums[_VVDE + j + k - 1, b]
                matrix[j, k] += a * a * (product - gj * sums[_VVD + k, b] / vv)


@kernel
def _damped_step(matrix: Floats, gradient: Floats, damping: float, step: Floats) -> None:
    """Solve (C + damping I) s = g in units in which C has a unit diagonal, by Cramer's rule; upper triangle read."""
    s0, s1, s2 = _unit(matrix[0, 0]), _unit(matrix[1, 1]), _unit(matrix[2, 2])
    d = 1.0 + damping
    p, q, r = matrix[0, 1] * s0 * s1, matrix[0, 2] * s0 * s2, matrix[1, 2] * s1 * s2
    g0, g1, g2 = gradient[0] * s0, gradient[1] * s1, gradient[2] * s2
    determinant = d * (d * d - r * r) - p * (p * d - q * r) + q * (p * r - q * d)
    step[0] = s0 * (g0 * (d * d - r * r) - p * (g1 * d - r * g2) + q * (g1 * r - d * g2)) / determinant
    step[1] = s1 * (d * (g1 * d - r * g2) - g0 * (p * d - q * r) + q * (p * g2 - q * g1)) / determinant
    step[2] = s2 * (d * (d * g2 - r * g1) - p * (p * g2 - q * g1) + g0 * (p * r - q * d)) / determinant


@kernel
def _unit(diagonal: float) -> float:
    return 1.0 / math.sqrt(diagonal) if diagonal > 0.0 else 0.0


@kernel
def _bounded(shape: Floats, step: Floats, earliest: float, latest: float, trial: Floats) -> None:
    trial[PEAK] = min(max(shape[PEAK] + step[PEAK], earliest), latest)
    for j in (CLIMB, FALL):
        change = min(max(step[j], -2.0), 2.0)
        trial[j] = min(max(shape[j] + change, SHORTEST), LONGEST)


@kernel
def _report(
    points: Floats, ends: Ints, by_time: Ints, prior: float, shape: Floats, sums: Floats, freedom: int, out: Floats
) -> None:
    """Results of a shape, in the scaled units of the fit."""
    _gain(points, ends, prior, shape, sums)
    climb, fall, rise, lead = _times(shape)
    highest, _ = _profile(lead, climb, fall, rise)
    out[0], out[1], out[2], out[3] = shape[PEAK] - lead, shape[PEAK], rise, fall
    for b in range(N_BANDS):
        seen = 0.0
        for i in range(ends[b], ends[b + 1]):
            seen = max(seen, points[_VALUE, i] / highest)
        if seen >= IN_SIGHT:
            out[N_RESULTS + b] = sums[_VY, b] / sums[_VV, b] * highest
    _residuals(points, ends, sums)
    fitted = constant = 0.0
    for i in by_time:
        fitted += points[_VALUE, i]
        constant += points[_SHARE, i]
    out[4], out[5] = fitted / freedom, 1.0 - fitted / constant


@kernel
def _residuals(points: Floats, ends: Ints, sums: Floats) -> None:
    """Replace the model by squared residuals, and its shares by those of each band's weighted mean flux."""
    data, weight, values, constants = points[_DATA], points[_WEIGHT], points[_VALUE], points[_SHARE]
    for b in range(N_BANDS):
        amplitude = sums[_VY, b] / sums[_VV, b] if sums[_VV, b] > 0.0 else 0.0
        top = bottom = 0.0
        for i in range(ends[b], ends[b + 1]):
            top += data[i] * weight[i]
            bottom += weight[i] * weight[i]
        mean = top / bottom
        for i in range(ends[b], ends[b + 1]):
            values[i] = (data[i] - weight[i] * (amplitude * values[i])) ** 2
            constants[i] = (data[i] - weight[i] * mean) ** 2
