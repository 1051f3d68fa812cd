"""How features that exist once per band, or per pair of neighbouring bands, are named and laid out."""

from itertools import pairwise

from features.family import Feature
from schemas.alerts import BANDS

PAIRS = tuple(pairwise(BANDS))
"""Neighbouring bands, blue first."""


def per_band(stem: str, meaning: str, unit: str, source: str = "Boreal") -> tuple[Feature, ...]:
    """One feature a band; `meaning` holds ``{band}`` where the band's letter belongs."""
    return tuple(Feature(f"{stem}_{b}", meaning.format(band=b), unit, source) for b in BANDS)


def per_pair(stem: str, meaning: str, unit: str, source: str = "Boreal") -> tuple[Feature, ...]:
    """One feature a pair of neighbouring bands; `meaning` holds ``{blue}`` and ``{red}``."""
    return tuple(Feature(f"{stem}_{b}{r}", meaning.format(blue=b, red=r), unit, source) for b, r in PAIRS)
