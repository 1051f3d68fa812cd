"""The joint six-band Bazin fit: one rise and fall for all bands, one amplitude a band.

The model is that of Bazin et al. 2009 (A&A 499, 653, equation 1) without its constant, for difference flux has none:
``f_b(t) = A_b exp(-(t - t0) / fall) / (1 + exp(-(t - t0) / rise))``. Written with the e-folding time ``climb`` of its
early part, ``1 / climb = 1 / rise - 1 / fall``, it is ``A_b / (exp(x / fall) + exp(-x / climb))`` with ``x = t - t0``,
which peaks at ``x = rise ln(fall / climb)``. Fitted are the time of the peak and the logarithms of climb and fall, by
Levenberg-Marquardt; the amplitudes are solved linearly at every step (variable projection, Golub & Pereyra 1973, SIAM
J. Numer. Anal. 10, 413, with Kaufman's Jacobian).

A wide prior on the three keeps what the data don't say near the ordinary, such as the peak of a supernova that rose
before its season; anywhere else its weight of at most a few units of chi2 is nothing. All sums run over the points of
one object in their order, so a row never depends on its company.
"""

import math

import numpy as np

from features._jit import N_BANDS, Bands, Floats, Ints, kernel

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

_WEIGHT, _DATA, _GRADIENT, _CURVATURE, _OVERLAP, _DATA_GRADIENT, _N_SUMS = 0, 1, 2, 5, 8, 11, 14
"""Rows of the sums a band: v v, v y, v v d_j, v v d_j d_j, v v d_j d_k, v y d_j; v the model, y the data, both in
errors, and d_j = d ln v / d p_j."""

N_RESULTS = 6
"""Columns of the results before the bands' peak fluxes: t0 and peak [d since the observed peak], rise, fall [d],
reduced chi2, and 1 less the ratio of chi2 to that of one constant a band."""


@kernel
def fit_all(offsets: Ints, mjd: Floats, flux: Floats, flux_err: Floats, band: Bands, peak: Ints, out: Floats) -> None:
    """Fit every object with as many points as parameters; `out` has shape (n_objects, `N_RESULTS` + 6)."""
    sums = np.empty((_N_SUMS, N_BANDS))
    for k in range(len(out)):
        start, n = offsets[k], offsets[k + 1] - offsets[k]
        bands = band[start : offsets[k + 1]]
        freedom = n - N_SHAPE - _count_bands(bands)
        if freedom < 0:
            continue
        time, data, weight = np.empty(n), np.empty(n), np.empty(n)
        for i in range(n):
            time[i] = mjd[start + i] - mjd[peak[k]]
            data[i] = flux[start + i] / flux_err[start + i]
            weight[i] = 1.0 / flux_err[start + i]
        data_scale, weight_scale = _normalise(data), _normalise(weight)
        if data_scale > 0.0:
            prior = data_scale**-2
            shape = _best_start(time, data, weight, bands, prior, sums)
            _refine(time, data, weight, bands, prior, shape, sums)
            _report(time, data, weight, bands, shape, sums, freedom, out[k])
            for b in range(N_BANDS):
                out[k, N_RESULTS + b] *= data_scale / weight_scale
            out[k, 4] *= data_scale**2


@kernel
def _count_bands(band: Bands) -> int:
    seen = np.zeros(N_BANDS, np.int64)
    total = 0
    for b in band:
        total += 1 - seen[b]
        seen[b] = 1
    return total


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
def _profile(x: float, climb: float, fall: float) -> tuple[float, float]:
    """1 / (exp(x / fall) + exp(-x / climb)), and the share of the first term in the sum; never overflows."""
    small = math.exp(-abs(x) / _rise(climb, fall))
    large_share = 1.0 / (1.0 + small)
    if x > 0.0:
        return math.exp(-x / fall) * large_share, large_share
    return math.exp(x / climb) * large_share, small * large_share


@kernel
def _rise(climb: float, fall: float) -> float:
    return 1.0 / (1.0 / climb + 1.0 / fall)


@kernel
def _peak_after_t0(climb: float, fall: float) -> float:
    return float(_rise(climb, fall) * math.log(fall / climb))


@kernel
def _gain(time: Floats, data: Floats, weight: Floats, band: Bands, prior: float, shape: Floats, sums: Floats) -> float:
    """Fill the sums of a trial shape; return how much of the data's square it explains, less the prior's penalty."""
    _accumulate(time, data, weight, band, shape, sums)
    gain = 0.0
    for b in range(N_BANDS):
        if sums[_WEIGHT, b] > 0.0:
            gain += sums[_DATA, b] / sums[_WEIGHT, b] * sums[_DATA, b]
    for j in range(N_SHAPE):
        gain -= prior * ((shape[j] - PRIOR_MEAN[j]) / PRIOR_WIDTH[j]) ** 2
    return gain


@kernel
def _accumulate(time: Floats, data: Floats, weight: Floats, band: Bands, shape: Floats, sums: Floats) -> None:
    sums[:] = 0.0
    climb, fall = math.exp(shape[CLIMB]), math.exp(shape[FALL])
    rise, lead = _rise(climb, fall), _peak_after_t0(climb, fall)
    lead_climb, lead_fall = lead * rise / climb - rise, lead * rise / fall + rise
    for i in range(len(time)):
        x = time[i] - shape[PEAK] + lead
        if x > OUT_OF_SIGHT * fall or -x > OUT_OF_SIGHT * climb:
            continue
        value, share = _profile(x, climb, fall)
        d0 = share / fall - (1.0 - share) / climb
        d1 = -(1.0 - share) * x / climb - d0 * lead_climb
        d2 = share * x / fall - d0 * lead_fall
        v = weight[i] * value
        _add(sums, band[i], v * v, v * data[i], d0, d1, d2)


@kernel
def _add(sums: Floats, b: int, vv: float, vy: float, d0: float, d1: float, d2: float) -> None:
    sums[0, b] += vv
    sums[1, b] += vy
    sums[2, b] += vv * d0
    sums[3, b] += vv * d1
    sums[4, b] += vv * d2
    sums[5, b] += vv * d0 * d0
    sums[6, b] += vv * d1 * d1
    sums[7, b] += vv * d2 * d2
    sums[8, b] += vv * d0 * d1
    sums[9, b] += vv * d0 * d2
    sums[10, b] += vv * d1 * d2
    sums[11, b] += vy * d0
    sums[12, b] += vy * d1
    sums[13, b] += vy * d2


@kernel
def _best_start(time: Floats, data: Floats, weight: Floats, band: Bands, prior: float, sums: Floats) -> Floats:
    """The start that explains most, its peak at the observed one."""
    trial, best = np.zeros(N_SHAPE), 0
    most = -np.inf
    for s in range(len(STARTS)):
        trial[CLIMB], trial[FALL] = STARTS[s, 0], STARTS[s, 1]
        gain = _gain(time, data, weight, band, prior, trial, sums)
        if gain > most:
            most, best = gain, s
    trial[CLIMB], trial[FALL] = STARTS[best, 0], STARTS[best, 1]
    return trial


@kernel
def _refine(time: Floats, data: Floats, weight: Floats, band: Bands, prior: float, shape: Floats, sums: Floats) -> None:
    """Improve `shape` in place."""
    total = 0.0
    for y in data:
        total += y * y
    most = _gain(time, data, weight, band, prior, shape, sums)
    matrix, gradient = np.empty((N_SHAPE, N_SHAPE)), np.empty(N_SHAPE)
    step, trial = np.empty(N_SHAPE), np.empty(N_SHAPE)
    _normal_equations(sums, shape, prior, matrix, gradient)
    damping = 0.01
    for _ in range(MAX_STEPS):
        _damped_step(matrix, gradient, damping, step)
        _bounded(shape, step, time[0] - REACH, time[-1] + REACH, trial)
        gain = _gain(time, data, weight, band, prior, trial, sums)
        if gain > most:
            converged = gain - most < TOLERANCE * (total - gain)
            most = gain
            for j in range(N_SHAPE):
                shape[j] = trial[j]
            if converged:
                break
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
        vv = sums[_WEIGHT, b]
        if vv <= 0.0:
            continue
        a = sums[_DATA, b] / vv
        for j in range(N_SHAPE):
            gj = sums[_GRADIENT + j, b]
            gradient[j] += a * (sums[_DATA_GRADIENT + j, b] - a * gj)
            for k in range(j, N_SHAPE):
                product = sums[_CURVATURE + j, b] if j == k else sums[_OVERLAP + j + k - 1, b]
                matrix[j, k] += a * a * (product - gj * sums[_GRADIENT + k, b] / vv)


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
    time: Floats, data: Floats, weight: Floats, band: Bands, shape: Floats, sums: Floats, freedom: int, out: Floats
) -> None:
    """Results of a shape, in the scaled units of the fit."""
    _accumulate(time, data, weight, band, shape, sums)
    climb, fall = math.exp(shape[CLIMB]), math.exp(shape[FALL])
    lead = _peak_after_t0(climb, fall)
    highest, _ = _profile(lead, climb, fall)
    seen, mean = np.zeros(N_BANDS), _constants(data, weight, band)
    fitted = constant = 0.0
    for i in range(len(time)):
        b = band[i]
        value, _ = _profile(time[i] - shape[PEAK] + lead, climb, fall)
        seen[b] = max(seen[b], value / highest)
        model = sums[_DATA, b] / sums[_WEIGHT, b] * value if sums[_WEIGHT, b] > 0.0 else 0.0
        fitted += (data[i] - weight[i] * model) ** 2
        constant += (data[i] - weight[i] * mean[b]) ** 2
    out[0], out[1], out[2], out[3] = shape[PEAK] - lead, shape[PEAK], _rise(climb, fall), fall
    out[4], out[5] = fitted / freedom, 1.0 - fitted / constant
    for b in range(N_BANDS):
        if seen[b] >= IN_SIGHT:
            out[N_RESULTS + b] = sums[_DATA, b] / sums[_WEIGHT, b] * highest


@kernel
def _constants(data: Floats, weight: Floats, band: Bands) -> Floats:
    """Weighted mean flux of each band."""
    top, bottom = np.zeros(N_BANDS), np.zeros(N_BANDS)
    for i in range(len(data)):
        top[band[i]] += data[i] * weight[i]
        bottom[band[i]] += weight[i] * weight[i]
    for b in range(N_BANDS):
        top[b] /= bottom[b]
    return top
