"""How far does a position lie outside a region of the sky? In degrees, along a great circle."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from broker._derive import galactic
from broker.filters.regions import Box, Cone, Galactic, Polygon, Region, unit_vectors

Vector = NDArray[np.float64]
QUARTER = 90.0


def outside_by(region: Region, ra: float, dec: float) -> float | None:
    """Degrees from a position to the nearest border of a region that it lies outside of.

    None for a MOC: its cells have borders without end.
    """
    if isinstance(region, Cone):
        return _apart(ra, dec, region.ra, region.dec) - region.radius
    if isinstance(region, Box):
        return _to_box(region, ra, dec)
    if isinstance(region, Galactic):
        return _to_band(region, ra, dec)
    if isinstance(region, Polygon):
        corners = region.corners
        return _to_sides(zip(corners, (*corners[1:], corners[0]), strict=True), ra, dec)
    return None


def _apart(ra: float, dec: float, lon: float, lat: float) -> float:
    return _angle(_vector(ra, dec), _vector(lon, lat))


def _vector(ra: float, dec: float) -> Vector:
    return np.asarray(unit_vectors(np.array([ra]), np.array([dec]))[0])


def _angle(one: Vector, other: Vector) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)))


def _to_box(box: Box, ra: float, dec: float) -> float:
    """To the nearest of its two meridians, and of its two parallels where these lie due north or south."""
    south, north = box.dec
    sides = [((lon, south), (lon, north)) for lon in box.ra]
    distances = [_to_sides(sides, ra, dec)]
    if _between(box, ra):
        distances.append(south - dec if dec < south else dec - north)
    if _between(box, (ra + 180) % 360):  # over a pole
        distances += [2 * QUARTER - dec - north, 2 * QUARTER + dec + south]
    return min(distances)


def _between(box: Box, ra: float) -> bool:
    west, east = box.ra
    return west <= ra <= east if west <= east else ra >= west or ra <= east


def _to_band(band: Galactic, ra: float, dec: float) -> float:
    height = float(np.abs(galactic(np.array([ra]), np.array([dec]))[1])[0])
    return band.min_abs_b - height if height < band.min_abs_b else height - band.max_abs_b


def _to_sides(sides: Iterable[tuple[tuple[float, float], tuple[float, float]]], ra: float, dec: float) -> float:
    at = _vector(ra, dec)
    return min(_to_side(at, _vector(*start), _vector(*end)) for start, end in sides)


def _to_side(at: Vector, start: Vector, end: Vector) -> float:
    """To the shorter arc between two points: to its great circle where the foot lies on the arc, else to an end."""
    pole = np.cross(start, end)
    length = np.linalg.norm(pole)
    if length:
        pole /= length
        foot = at - (at @ pole) * pole
        if np.cross(start, foot) @ pole >= 0 and np.cross(foot, end) @ pole >= 0:
            return float(np.degrees(np.arcsin(np.clip(abs(at @ pole), 0, 1))))
    return min(_angle(at, start), _angle(at, end))
