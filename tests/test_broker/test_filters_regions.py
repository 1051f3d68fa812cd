"""Regions of the sky, against astropy and mocpy."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import Latitude, Longitude, SkyCoord
from mocpy import MOC

from broker.filters.regions import Box, Cone, Galactic, Moc, Polygon, Region, in_any

N = 20_000
RNG = np.random.default_rng(20260310)
RA, DEC = RNG.uniform(0, 360, N), np.degrees(np.arcsin(RNG.uniform(-1, 1, N)))
SKY = SkyCoord(RA, DEC, unit="deg")


@pytest.mark.parametrize(
    "cone", [Cone(10, 20, 5), Cone(0, 0, 90), Cone(359.9, -89.5, 1), Cone(123, 90, 30), Cone(5, 5, 180)]
)
def test_a_cone_is_all_within_its_radius(cone: Cone) -> None:
    distance = SKY.separation(SkyCoord(cone.ra, cone.dec, unit="deg")).deg
    np.testing.assert_array_equal(cone.contains(RA, DEC), distance <= cone.radius)


def test_a_tiny_cone_is_exact() -> None:
    ra = np.array([10.0, 10.0 + 0.9e-7, 10.0 + 1.1e-7])
    assert Cone(10, 0, 1e-7).contains(ra, np.zeros(3)).tolist() == [True, True, False]


def test_a_cone_holds_its_antipode_only_if_it_is_the_sky() -> None:
    ra, dec = np.array([190.0]), np.array([-20.0])
    assert Cone(10, 20, 180).contains(ra, dec).all()
    assert not Cone(10, 20, 179.999).contains(ra, dec).any()


def test_a_box_runs_eastward_and_owns_its_border() -> None:
    ra, dec = np.array([350.0, 355, 0, 10, 10.01, 180, 349.99]), np.zeros(7)
    assert Box((350, 10), (-5, 5)).contains(ra, dec).tolist() == [True, True, True, True, False, False, False]
    assert Box((10, 350), (-5, 5)).contains(ra, dec).tolist() == [True, False, False, True, True, True, True]
    assert Box((0, 360), (0, 5)).contains(ra, dec).all()
    assert Box((0, 360), (1, 5)).contains(np.array([3.0, 3.0]), np.array([5.0, 5.01])).tolist() == [True, False]


def test_the_galactic_plane_is_where_astropy_has_it() -> None:
    height = np.abs(SKY.galactic.b.deg)
    clear = (np.abs(height - 10) > 1e-4) & (np.abs(height - 30) > 1e-4)
    inside = Galactic(10, 30).contains(RA, DEC)
    np.testing.assert_array_equal(inside[clear], ((height >= 10) & (height <= 30))[clear])
    assert clear.sum() > N - 10


@pytest.mark.parametrize(
    "corners",
    [
        ((10, -10), (30, -10), (20, 15)),
        ((350, -20), (20, -25), (25, 10), (5, -5), (352, 12)),
        ((0, 80), (90, 80), (180, 80), (270, 80)),
        ((100, 30), (160, 30), (160, 70), (100, 70)),
    ],
    ids=["triangle", "through 0, not convex", "around the pole", "large"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_polygon_is_that_of_mocpy(corners: tuple[tuple[float, float], ...], turned: bool) -> None:
    polygon = Polygon(corners[::-1] if turned else corners)
    assert polygon.flaw() is None
    lon, lat = np.array(corners, dtype=float).T
    moc = MOC.from_polygon(lon * units.deg, lat * units.deg, max_depth=11)
    # MOC cells overlap the border by up to their size, 0.03 degrees: no position that close to a side is compared.
    inside, covered = polygon.contains(RA, DEC), moc.contains_lonlat(Longitude(RA, "deg"), Latitude(DEC, "deg"))
    unsure = near_a_side(corners, 0.06)
    assert inside.sum() > 20
    np.testing.assert_array_equal(inside[~unsure], covered[~unsure])


def near_a_side(corners: tuple[tuple[float, float], ...], distance: float) -> np.ndarray:
    """Close to the great circle through two neighbours."""
    ends = SkyCoord(corners, unit="deg").cartesian.xyz.value.T
    normals = np.cross(ends, np.roll(ends, -1, axis=0))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    heights = np.degrees(np.arcsin(normals @ SKY.cartesian.xyz.value))
    return np.asarray((np.abs(heights) < distance).any(axis=0))


@pytest.mark.parametrize(
    ("corners", "flaw"),
    [
        (((0, 0), (1, 1), (1, 0), (0, 1)), "cross"),
        (((0, 0), (1, 1), (1, 1)), "cross or touch"),
        (((0, 0), (120, 0), (240, 0)), "all around"),
        (((0, 0), (100, -80), (180, 10)), "from its middle"),
    ],
)
def test_what_is_no_polygon(corners: tuple[tuple[float, float], ...], flaw: str) -> None:
    assert flaw in str(Polygon(corners).flaw())


def test_a_moc_is_that_of_mocpy(tmp_path: Path) -> None:
    moc = MOC.from_cone(Longitude(40, "deg"), Latitude(-30, "deg"), max_depth=8, radius=8 * units.deg)
    moc.save(tmp_path / "sky.fits", format="fits")
    moc.save(tmp_path / "sky.json", format="json")
    read = [Moc.load(tmp_path / name) for name in ("sky.fits", "sky.json")]
    assert read[0] == read[1]
    inside = pickle.loads(pickle.dumps(read[0])).contains(RA, DEC)  # noqa: S301 - its own bytes
    np.testing.assert_array_equal(inside, moc.contains_lonlat(Longitude(RA, "deg"), Latitude(DEC, "deg")))
    assert 50 < inside.sum() < 500


@pytest.mark.parametrize("content", [b"", b"SIMPLE  =", b"\x00" * 4000, b"{}", b'{"3": "x"}'])
@pytest.mark.parametrize("name", ["sky.fits", "sky.json"])
def test_what_is_no_moc(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"isn't a MOC|covers nothing"):
        Moc.load(tmp_path / name)


REGIONS: list[Region] = [
    Cone(10, 20, 40),
    Box((300, 50), (-30, 30)),
    Galactic(20, 60),
    Polygon(((10, -10), (80, -20), (60, 45))),
    Moc(np.array([0, 2**59], dtype="<u8").tobytes()),
]


@pytest.mark.parametrize("region", REGIONS, ids=lambda r: type(r).__name__)
def test_a_position_alone_gets_the_same_answer(region: Region) -> None:
    whole = region.contains(RA, DEC)
    assert 0 < whole.sum() < N
    alone = [bool(region.contains(RA[k : k + 1], DEC[k : k + 1])[0]) for k in range(300)]
    assert alone == whole[:300].tolist()
    np.testing.assert_array_equal(region.contains(RA[1::3].copy(), DEC[1::3].copy()), whole[1::3])


def test_one_of_several_is_enough_and_the_unknown_is_nowhere() -> None:
    ra, dec = np.array([10.0, 20.0, 30.0, np.nan, 10.0]), np.array([0.0, 0.0, 0.0, 0.0, np.nan])
    assert in_any([Cone(10, 0, 1), Cone(20, 0, 1)], ra, dec).tolist() == [True, True, False, False, False]
    assert in_any([Cone(0, 0, 180)], ra, dec).tolist() == [True, True, True, False, False]
    assert in_any([], ra, dec).tolist() == [False] * 5
