"""Does an alert lie in a region of the sky? Positions and sizes in degrees, ICRS; borders belong to the region."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker._derive import galactic
from broker._healpix import pixels
from broker.filters._moc_file import read_ranges

Degrees = NDArray[np.float64]
Inside = NDArray[np.bool_]

MAX_REACH = 85
"""Degrees from a polygon's middle to its corners: the projection that makes its sides straight ends at 90."""

NO_MIDDLE, NO_LENGTH = 1e-6, 1e-12


class Region(Protocol):
    """A part of the sky."""

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in it, shape (n,)."""
        ...


def unit_vectors(ra: Degrees, dec: Degrees) -> NDArray[np.float64]:
    """Positions as vectors of length 1, shape (n, 3)."""
    lon, lat = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _dot(vectors: NDArray[np.float64], other: NDArray[np.float64]) -> Degrees:
    """Products with one vector, shape (n,); written out, since a matrix product rounds differently at another n."""
    return np.asarray(vectors[:, 0] * other[0] + vectors[:, 1] * other[1] + vectors[:, 2] * other[2])


@dataclass(frozen=True)
class Cone:
    """A circle on the sky: all within `radius` of (`ra`, `dec`)."""

    ra: float
    dec: float
    radius: float

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in it; half the chord is exact where the cosine of the angle is not."""
        chord = unit_vectors(ra, dec) - unit_vectors(np.array([self.ra]), np.array([self.dec]))
        half = np.clip(np.sqrt(chord[:, 0] ** 2 + chord[:, 1] ** 2 + chord[:, 2] ** 2) / 2, 0, 1)
        return np.asarray(np.degrees(2 * np.arcsin(half)) <= self.radius)


@dataclass(frozen=True)
class Box:
    """Between two meridians and two parallels; `ra` runs eastward from the first to the second, maybe through 0."""

    ra: tuple[float, float]
    dec: tuple[float, float]

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in it."""
        west, east = self.ra
        across = (ra >= west) & (ra <= east) if west <= east else (ra >= west) | (ra <= east)
        return np.asarray(across & (dec >= self.dec[0]) & (dec <= self.dec[1]))


@dataclass(frozen=True)
class Galactic:
    """Between two distances from the galactic plane: `min_abs_b` <= |b| <= `max_abs_b`."""

    min_abs_b: float = 0.0
    max_abs_b: float = 90.0

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in it; by the same latitude as the column ``galLat``."""
        height = np.abs(galactic(ra, dec)[1])
        return np.asarray((height >= self.min_abs_b) & (height <= self.max_abs_b))


@dataclass(frozen=True)
class Polygon:
    """The inside of a closed line of great circles, given by its corners in order; less than half the sky."""

    corners: tuple[tuple[float, float], ...]

    @cached_property
    def _frame(self) -> NDArray[np.float64]:
        """Axes of the gnomonic projection about the middle of the corners, which makes great circles straight lines."""
        middle = self._vectors.mean(axis=0)
        middle /= np.linalg.norm(middle)
        first = np.cross(np.eye(3)[int(np.argmin(np.abs(middle)))], middle)
        first /= np.linalg.norm(first)
        return np.stack([first, np.cross(middle, first), middle])

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        ra, dec = np.array(self.corners, dtype=np.float64).T
        return unit_vectors(ra, dec)

    def flaw(self) -> str | None:
        """Why it has no inside, None where it has one."""
        if np.linalg.norm(self._vectors.mean(axis=0)) < NO_MIDDLE:
            return "its corners lie all around the sky"
        if (_dot(self._vectors, self._frame[2]) < np.cos(np.radians(MAX_REACH))).any():
            return f"it reaches more than {MAX_REACH} degrees from its middle; use several smaller ones"
        if _crosses_itself(*self._project(self._vectors)):
            return "its sides cross or touch each other; give the corners in order, each once"
        return None

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in it: a ray from it crosses the border an odd number of times."""
        vectors = unit_vectors(ra, dec)
        ahead = _dot(vectors, self._frame[2]) > 0
        x, y = self._project(np.where(ahead[:, None], vectors, self._frame[2]))
        inside = np.zeros(len(x), dtype=np.bool_)
        for x1, y1, x2, y2 in _sides(*self._project(self._vectors)):
            if y1 != y2:
                inside ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * ((x2 - x1) / (y2 - y1)))
        return np.asarray(inside & ahead)

    def _project(self, vectors: NDArray[np.float64]) -> tuple[Degrees, Degrees]:
        ahead = _dot(vectors, self._frame[2])
        return _dot(vectors, self._frame[0]) / ahead, _dot(vectors, self._frame[1]) / ahead


def _sides(x: Degrees, y: Degrees) -> list[tuple[float, float, float, float]]:
    return [(float(v) for v in side) for side in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True)]  # type: ignore[misc]  # four numbers each


def _crosses_itself(x: Degrees, y: Degrees) -> bool:
    """Whether two sides that aren't neighbours meet, or a side has no length."""
    start, end = np.stack([x, y], axis=-1), np.stack([np.roll(x, -1), np.roll(y, -1)], axis=-1)
    if (np.abs(end - start).max(axis=-1) < NO_LENGTH).any():
        return True
    one, other = np.triu_indices(len(x), k=2)
    apart = (other - one) % len(x) != len(x) - 1

    def side_of(point: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
        direction, way = end[k] - start[k], point - start[k]
        return np.asarray(np.sign(direction[:, 0] * way[:, 1] - direction[:, 1] * way[:, 0]))

    crossing = (side_of(start[other], one) != side_of(end[other], one)) & (
        side_of(start[one], other) != side_of(end[one], other)
    )
    return bool((crossing & apart).any())


@dataclass(frozen=True)
class Moc:
    """A Multi-Order Coverage map (IVOA MOC 2.0): any set of HEALPix cells.

    Parameters
    ----------
    ranges : uint64 bytes, little-endian pairs of first and last (exclusive) cell at `DEEPEST`, ascending.
    source : where it came from; no part of what it covers.
    """

    ranges: bytes = field(repr=False)
    source: str = field(default="", compare=False)

    @classmethod
    def load(cls, path: Path) -> "Moc":
        """Read a MOC from a FITS or JSON file.

        Raises
        ------
        ValueError
            If the file can't be read as a MOC, or covers nothing.
        """
        return cls(read_ranges(path).astype("<u8").tobytes(), str(path))

    @cached_property
    def _borders(self) -> NDArray[np.int64]:
        """Where it begins and ends and begins, ascending."""
        return np.frombuffer(self.ranges, dtype="<u8").astype(np.int64)

    def contains(self, ra: Degrees, dec: Degrees) -> Inside:
        """Whether each position lies in one of its cells: an odd number of borders lies at or before its own."""
        return np.asarray(np.searchsorted(self._borders, pixels(ra, dec), side="right") % 2 == 1)

    def __getstate__(self) -> dict[str, Any]:
        return {"ranges": self.ranges, "source": self.source}


def in_any(regions: Iterable[Region], ra: Degrees, dec: Degrees) -> Inside:
    """Whether each position lies in at least one of the regions; never where it isn't known (NaN)."""
    known = np.isfinite(ra) & np.isfinite(dec)
    inside = np.zeros(len(ra), dtype=np.bool_)
    lon, lat = np.where(known, ra, 0.0), np.where(known, dec, 0.0)
    for region in regions:
        inside |= region.contains(lon, lat)
    return np.asarray(inside & known)


def canonical(regions: Sequence[Region]) -> list[str]:
    """The regions as text that tells two of them apart, for content hashes."""
    from hashlib import sha256

    return [f"Moc({sha256(r.ranges).hexdigest()})" if isinstance(r, Moc) else repr(r) for r in regions]
