"""Records that decode but say absurd things: they get past the framing, to features, classifiers and filters."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from benchmarks.fuzzing.templates import Template

_READ = {
    "ra", "dec", "decl", "midPointTai", "midpointMjdTai", "jd", "band", "filterName", "fid", "visit", "psfFlux",
    "psFlux", "psfFluxErr", "psFluxErr", "snr", "magpsf", "sigmapsf", "isdiffpos", "magzpsci", "forcediffimflux",
    "forcediffimfluxunc", "hostgal_zphot", "hostgal_zphot_err", "mwebv", "mwebv_err", "reliability", "extendedness",
    "rb", "drb", "ssdistnr", "candid", "alertId", "diaSourceId", "diaObjectId", "ssObjectId", "objectId",
    "isNegative", "schemavsn",
}  # fmt: skip
"""Fields that Boreal reads: most changes are made to them."""

_FLOATS = (
    float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 5e-324, 1e-45, 1e-30, 1e-10, 1e10, 3e38, -3e38, 1e308, -1e308,
    -9.0, -99.0, -999.0, -99999.0, 0.5, 1.0, 90.0, 360.0, 60000.0, 200000.0, 2460000.5, 2658000.0,
)  # fmt: skip
_INTS = (0, 1, -1, 2, 3, 4, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
_TEXTS = ("", "u", "g", "r", "i", "z", "y", "Y", "\0", "\U0001f30c", "t", "f", "0", "1", "nan", "'; --", "x" * 5000)
_FACTORS = (-1.0, 0.0, 1e-6, 1e-3, 0.1, 10.0, 1e3, 1e6, 1e12)
_MOST_POINTS = 400


class Place(NamedTuple):
    """Where a value stands: in a record under a field's name, or in an array at an index."""

    parent: Any
    key: Any

    @property
    def value(self) -> Any:
        """What stands there."""
        return self.parent[self.key]

    def put(self, value: Any) -> None:
        """Put something else there."""
        self.parent[self.key] = value


def absurd_record(chance: Random, template: Template, _other: Template) -> bytes:
    """The template's record with one to five changes, encoded again; as it was if the schema has no room for them."""
    record = copied(template.record)
    places = list(_places(record))
    for _ in range(chance.randint(1, 5)):
        chance.choice(_CHANGES)(chance, places)
    try:
        return template.pack(record)
    except (TypeError, ValueError, OverflowError):
        return template.payload


def copied(value: Any) -> Any:
    """A copy that shares no record and no array with the original."""
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def _places(value: Any) -> Iterator[Place]:
    """Every place of a record, however deep."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield Place(value, key)
        if isinstance(part, dict | list):
            yield from _places(part)


def _strange(chance: Random, value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return chance.choice(_FLOATS) if chance.random() < 0.8 else value * chance.choice(_FACTORS)  # noqa: PLR2004 - or a wrong unit
    if isinstance(value, int):
        return chance.choice(_INTS)
    if isinstance(value, str):
        return chance.choice(_TEXTS)
    return chance.randbytes(chance.choice((0, 1, 3000))) if isinstance(value, bytes) else value


def _pick(chance: Random, places: list[Place]) -> Place:
    read = [place for place in places if place.key in _READ]
    return chance.choice(read if read and chance.random() < 0.8 else places)  # noqa: PLR2004 - mostly what is read


def _set_one(chance: Random, places: list[Place]) -> None:
    place = _pick(chance, places)
    place.put(_strange(chance, place.value))


def _null_one(chance: Random, places: list[Place]) -> None:
    _pick(chance, places).put(None)


def _set_all(chance: Random, places: list[Place]) -> None:
    """One strange value for a field of all points."""
    name = _pick(chance, places).key
    named = [place for place in places if place.key == name]
    strange = _strange(chance, named[0].value)
    for place in named:
        place.put(strange)


def _scatter_all(chance: Random, places: list[Place]) -> None:
    """A strange value for a field of each point."""
    name = _pick(chance, places).key
    for place in places:
        if place.key == name:
            place.put(_strange(chance, place.value))


def _scale_all(chance: Random, places: list[Place]) -> None:
    """A number of all points in a wrong unit."""
    name, factor = _pick(chance, places).key, chance.choice(_FACTORS)
    for place in places:
        if place.key == name and isinstance(place.value, float):
            place.put(place.value * factor)


def _change_points(chance: Random, places: list[Place]) -> None:
    """A history that is empty, shuffled, thinned, repeated or very long."""
    histories = [place for place in places if isinstance(place.value, list) and place.value]
    if not histories:
        return
    place = chance.choice(histories)
    points = place.value
    kind = chance.randrange(5)
    if kind == 0:
        place.put([])
    elif kind == 1:
        place.put(chance.sample(points, len(points)))
    elif kind == 2:  # noqa: PLR2004 - one of five
        place.put(chance.sample(points, len(points) - 1))
    elif kind == 3:  # noqa: PLR2004
        place.put([*points, copied(chance.choice(points))])
    else:
        place.put(_long(chance, points))


def _long(chance: Random, points: list[Any]) -> list[Any]:
    """As many points as a season has, a little apart in time."""
    many = []
    for k in range(chance.choice((10, 30, 30, _MOST_POINTS)) if chance.random() < 0.2 else 8):  # noqa: PLR2004 - long ones are slow
        point = copied(chance.choice(points))
        for name in ("midPointTai", "midpointMjdTai", "jd"):
            if isinstance(point, dict) and isinstance(point.get(name), float):
                point[name] -= k * chance.random()
        if isinstance(point, dict) and "visit" in point:
            point["visit"] = k
        many.append(point)
    return many


_CHANGES: tuple[Callable[[Random, list[Place]], None], ...] = (
    _set_one, _set_one, _null_one, _set_all, _scatter_all, _scale_all, _change_points, _change_points,
)  # fmt: skip
