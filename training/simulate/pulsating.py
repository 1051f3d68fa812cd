"""Stars that swell and shrink: RR Lyrae in hours, Miras in months."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array, Bands
from training.simulate.source import LightCurve, Source

# Amplitudes and phases of the first Fourier terms of a mean RRab light curve in magnitudes (sine series).
_RRAB_AMPLITUDE = np.array([1.0, 0.47, 0.34, 0.22, 0.13, 0.08])
_RRAB_PHASE = np.array([0.0, 2.4, 5.1, 1.5, 4.2, 0.6])
_RRC_AMPLITUDE, _RRC_PHASE = np.array([1.0, 0.15, 0.05]), np.array([0.0, 4.7, 2.9])
_RR_BAND = np.array([0.95, 1.00, 0.71, 0.56, 0.51, 0.48])
TYPE_AB = 0.8
"""Share of type ab among RR Lyrae stars."""
TEMPLATE_EPOCHS = 4
"""Epochs that a template averages, judged by where it lies between the extremes of the real RR Lyrae."""
_MIRA_BAND = np.array([0.30, 1.12, 1.00, 0.62, 0.45, 0.38])


def fourier(phase: Array, amplitude: Array, offset: Array) -> Array:
    """A sine series scaled to a full range of 1."""

    def series(at: Array) -> Array:
        turns = 2.0 * np.pi * np.arange(1, len(amplitude) + 1)
        return np.asarray((amplitude * np.sin(at[:, None] * turns + offset)).sum(axis=1), dtype=np.float64)

    whole = series(np.linspace(0.0, 1.0, 128, endpoint=False))
    return np.asarray((series(np.atleast_1d(phase)) - whole.mean()) / np.ptp(whole), dtype=np.float64)


def rr_lyrae(rng: Generator, source: Source) -> LightCurve:
    """An RR Lyrae star: the sawtooth of type ab (four in five) or the near-sine of type c.

    Fourier terms and their phases after Simon & Teays 1982 (ApJ 261, 586, their means of phi_21 and phi_31); periods,
    and amplitude ratios of the bands, after Sesar et al. 2010 (ApJ 708, 717; y like z); amplitudes an
    eighth smaller than theirs, as PLAsTiCC's objects have them. The template averages a few epochs.
    """
    ab = rng.random() < TYPE_AB
    period = rng.normal(0.57, 0.07) if ab else rng.normal(0.33, 0.035)
    period = float(np.clip(period, 0.42, 0.9) if ab else np.clip(period, 0.24, 0.45))
    swing = float(
        np.clip(rng.normal(0.85 - 1.8 * (period - 0.57), 0.2), 0.25, 1.3)
        if ab
        else np.clip(rng.normal(0.47, 0.08), 0.2, 0.7)
    )
    series = (
        (_RRAB_AMPLITUDE * np.r_[1.0, np.exp(rng.normal(0, 0.12, 5))], _RRAB_PHASE)
        if ab
        else (_RRC_AMPLITUDE, _RRC_PHASE)
    )
    scatter = np.exp(rng.normal(0.0, 0.04, 6))
    amplitude = swing * _RR_BAND * scatter
    zero = rng.random()
    epochs = fourier(rng.random(TEMPLATE_EPOCHS), *series)
    in_template = np.mean(10.0 ** (-0.4 * amplitude * epochs[:, None]), axis=0)

    def light_curve(mjd: Array, band: Bands) -> Array:
        relative = 10.0 ** (-0.4 * amplitude[band] * fourier(mjd / period + zero, *series)) / in_template[band]
        return np.asarray(source.template_flux[band] * (relative - 1.0), dtype=np.float64)

    return light_curve


def mira(rng: Generator, source: Source) -> LightCurve:
    """A Mira: a red giant that changes by magnitudes over 100 to 600 days, each cycle a little different.

    Periods after the General Catalogue of Variable Stars (Samus et al. 2017, Astron. Rep. 61, 80), amplitude falling
    with wavelength as in Iwanek et al. 2021 (ApJS 257, 23); the u amplitude and where the template lies are fitted to
    the 30 real objects. Cycles differ a little.
    """
    period = float(np.clip(rng.normal(310.0, 90.0), 100.0, 600.0))
    swing = float(np.clip(rng.normal(4.8, 0.6), 2.5, 8.0))
    scatter = np.exp(rng.normal(0.0, 0.08, 6))
    skew = rng.uniform(0.0, 0.25)
    zero = rng.random()
    reference = 0.5 + rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.4)
    cycles = np.exp(rng.normal(0.0, 0.06, 64))

    def wave(turns: Array) -> Array:
        strength = np.interp(turns % 64.0, np.arange(64), cycles)
        return -0.5 * strength * np.cos(2 * np.pi * turns + skew * np.sin(2 * np.pi * turns))

    def light_curve(mjd: Array, band: Bands) -> Array:
        change = wave((mjd - 59000.0) / period + zero) - float(wave(np.array(reference)))
        return _difference(source, band, swing * (_MIRA_BAND * scatter)[band] * change)

    return light_curve


def _difference(source: Source, band: Bands, change: Array) -> Array:
    """Difference flux where the star is `change` magnitudes fainter than in the template."""
    return np.asarray(source.template_flux[band] * (10.0 ** (-0.4 * change) - 1.0), dtype=np.float64)
