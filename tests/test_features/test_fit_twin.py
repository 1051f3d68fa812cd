"""The joint fit against its twin: plain Python, one point after the other in their order of time, bit for bit."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from features import _bazin as fit
from features._by_band import by_band
from features._jit import N_BANDS, frozen
from features._landmarks import landmarks

SHAPE = range(fit.N_SHAPE)


def profile(x, climb, fall):
    small = fit._exp(-abs(x) / (1.0 / (1.0 / climb + 1.0 / fall)))
    large_share = 1.0 / (1.0 + small)
    if x > 0.0:
        return fit._exp(-x / fall) * large_share, large_share
    return fit._exp(x / climb) * large_share, small * large_share


class Twin:
    """One object; points in the units of the fit."""

    def __init__(self, mjd, flux, flux_err, band, peak):
        data, weight = flux / flux_err, 1.0 / flux_err
        self.scale, self.weight_scale = np.abs(data).max(), np.abs(weight).max()
        self.time, self.data, self.weight = mjd - mjd[peak], data / self.scale, weight / self.weight_scale
        self.band = band.tolist()
        self.points = list(zip(*(row.tolist() for row in (self.time, self.data, self.weight)), self.band, strict=True))
        self.prior = 1.0 / (float(self.scale) * float(self.scale))

    def sums(self, shape):
        """Rows as in `features._bazin`."""
        sums = np.zeros((14, N_BANDS))
        climb, fall = math.exp(shape[1]), math.exp(shape[2])
        rise = 1.0 / (1.0 / climb + 1.0 / fall)
        lead = rise * math.log(fall / climb)
        for t, y, w, b in self.points:
            x = t - shape[0] + lead
            if x > fit.OUT_OF_SIGHT * fall or -x > fit.OUT_OF_SIGHT * climb:
                continue
            value, share = profile(x, climb, fall)
            d = share / fall - (1.0 - share) / climb
            e = -(1.0 - share) * x / climb - d * (lead * rise / climb - rise)
            f = share * x / fall - d * (lead * rise / fall + rise)
            v = w * value
            vv, vy = v * v, v * y
            pairs = (vv * d * d, vv * e * e, vv * f * f, vv * d * e, vv * d * f, vv * e * f)
            sums[:, b] += (vv, vy, vv * d, vv * e, vv * f, *pairs, vy * d, vy * e, vy * f)
        return sums

    def gain(self, shape, sums):
        gain = 0.0
        for vv, vy in zip(sums[0].tolist(), sums[1].tolist(), strict=True):
            gain += vy / vv * vy if vv > 0.0 else 0.0
        for j in SHAPE:
            gain -= self.prior * ((shape[j] - fit.PRIOR_MEAN[j]) / fit.PRIOR_WIDTH[j]) ** 2
        return gain

    def shape(self):
        starts = [np.array([0.0, climb, fall]) for climb, fall in fit.STARTS]
        return self.refined(max(starts, key=lambda shape: self.gain(shape, self.sums(shape))))

    def refined(self, shape):
        total = sum(y * y for y in self.data.tolist())
        matrix, gradient, step, trial = np.empty((3, 3)), np.empty(3), np.empty(3), np.empty(3)
        sums, damping = self.sums(shape), 0.01
        most = self.gain(shape, sums)
        for _ in range(fit.MAX_STEPS):
            fit._normal_equations(sums, shape, self.prior, matrix, gradient)
            fit._damped_step(matrix, gradient, damping, step)
            fit._bounded(shape, step, self.time[0] - fit.REACH, self.time[-1] + fit.REACH, trial)
            trial_sums = self.sums(trial)
            gain = self.gain(trial, trial_sums)
            if gain > most:
                converged = gain - most < fit.TOLERANCE * (total - gain)
                shape, sums, most, damping = trial.copy(), trial_sums, gain, max(0.1 * damping, 1e-9)
                if converged:
                    break
            elif damping > fit.STALLED:
                break
            else:
                damping *= 8.0
        return shape

    def results(self):
        """A row of `fit_all`."""
        shape = self.shape()
        sums, climb, fall = self.sums(shape), math.exp(shape[1]), math.exp(shape[2])
        rise = 1.0 / (1.0 / climb + 1.0 / fall)
        lead = rise * math.log(fall / climb)
        highest, _ = profile(lead, climb, fall)
        amplitude = np.divide(sums[1], sums[0], where=sums[0] > 0.0, out=np.zeros(N_BANDS))
        seen, means, fitted, constant = np.zeros(N_BANDS), self.means(), 0.0, 0.0
        for t, y, w, b in self.points:
            value, _ = profile(t - shape[0] + lead, climb, fall)
            seen[b] = max(seen[b], value / highest)
            fitted += (y - w * (amplitude[b] * value)) ** 2
            constant += (y - w * means[b]) ** 2
        freedom = len(self.points) - fit.N_SHAPE - len(set(self.band))
        chi2 = np.divide(fitted, freedom) * (self.scale * self.scale)
        peaks = np.where(seen >= fit.IN_SIGHT, amplitude * highest * (self.scale / self.weight_scale), np.nan)
        return [shape[0] - lead, shape[0], rise, fall, chi2, 1.0 - np.divide(fitted, constant), *peaks]

    def means(self):
        top, bottom = [0.0] * N_BANDS, [0.0] * N_BANDS
        for _, y, w, b in self.points:
            top[b] += y * w
            bottom[b] += w * w
        return [t / w if w else math.nan for t, w in zip(top, bottom, strict=True)]


def fitted(curves):
    points, found = by_band(curves), np.full((len(curves), fit.N_RESULTS + N_BANDS), np.nan)
    offsets, peak = frozen(curves.offsets), landmarks(curves).peak
    fit.fit_all(offsets, peak, points.edges, points.place, points.mjd, points.flux, points.flux_err, found)
    return found, peak


def curves_of(outburst, seed):
    """Bursts, dips, noise, few bands, seasons far out of sight, and equal times."""
    burst = outburst(seed, 12 + 17 * seed)
    noise = outburst(seed, 80, peak=0.0)
    dip = [(t, -f, e, b, d) for t, f, e, b, d in burst]
    two_bands = [point for point in burst if point[3] in "gz"]
    seasons = [(t + 5000.0 * (i > len(burst) // 2), f, e, b, d) for i, (t, f, e, b, d) in enumerate(burst)]
    nights = [(float(round(t)), f, e, b, d) for t, f, e, b, d in burst]
    return burst, noise, dip, two_bands, seasons, nights, outburst(seed, 9)


@pytest.mark.parametrize("seed", range(6))
def test_fit_is_its_twin_bit_for_bit(alerts_of, outburst, seed):
    curves = alerts_of(*curves_of(outburst, seed)).light_curves
    found, peak = fitted(curves)
    for k, (begin, end) in enumerate(zip(curves.offsets[:-1], curves.offsets[1:], strict=True)):
        own = slice(begin, end)
        if end - begin < fit.N_SHAPE + len(set(curves.band[own])):
            assert np.isnan(found[k]).all()
            continue
        twin = Twin(curves.mjd[own], curves.flux[own], curves.flux_err[own], curves.band[own], peak[k] - begin)
        with np.errstate(divide="ignore", invalid="ignore"):  # no degree of freedom left
            expected = np.array(twin.results())
        np.testing.assert_array_equal(found[k], expected)


@pytest.mark.parametrize("reach", [1e-17, 1e-6, 1.0, 30.0, 499.0])
def test_exponential_is_within_its_error(reach):
    with localcontext() as context:
        context.prec = 40
        for x in np.random.default_rng(3).uniform(-reach, reach, 2000).tolist():
            exact = Decimal(x).exp()
            found = fit._exp(x)
            assert abs(Decimal(found) - exact) < Decimal("0.52") * Decimal(math.ulp(found))


def test_exponential_at_its_ends():
    assert fit._exp(0.0) == fit._exp(-0.0) == 1.0
    assert fit._exp(-1e300) == fit._exp(-math.inf) == fit._exp(-500.0) > 0.0
    assert math.isnan(fit._exp(math.nan))
