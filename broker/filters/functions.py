"""Which functions may a condition call? Each with its parameters, its meaning, and how polars computes it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS

AB_ZERO_POINT = 31.4
"""AB magnitude of 1 nJy."""


@dataclass(frozen=True)
class Function:
    """A function of values of one alert.

    NULL in, NULL out. A result that is undefined or infinite is NULL too; `broker.filters._translate` sees to both.

    Parameters
    ----------
    name : as conditions write it; case doesn't matter.
    parameters : their names, for the guide and for messages.
    takes : kind of the arguments; whole numbers are taken as numbers, unless `whole`.
    meaning : one line.
    build : from polars expressions to a polars expression.
    whole : a whole number in gives a whole number out.
    """

    name: str
    parameters: tuple[str, ...]
    takes: Kind
    meaning: str
    build: Callable[..., Any]
    whole: bool = False

    @property
    def signature(self) -> str:
        """As the guide and messages show it."""
        return f"{self.name}({', '.join(self.parameters)})"


def _log10(x: Any) -> Any:
    # ln(x) / ln(10) misses the powers of ten: log10(1000) would be 2.9999999999999996.
    import polars as pl

    rough = x.log10()
    whole = rough.round()
    return pl.when(pl.lit(10.0).pow(whole) == x).then(whole).otherwise(rough)


def _angular_distance(ra: Any, dec: Any, lon: Any, lat: Any) -> Any:
    """Vincenty (1975) formula for the sphere, exact at all distances; degrees."""
    import polars as pl

    difference, y, z = (lon - ra).radians(), dec.radians(), lat.radians()
    sin_y, cos_y, sin_z, cos_z, cos_d = y.sin(), y.cos(), z.sin(), z.cos(), difference.cos()
    across = ((cos_z * difference.sin()).pow(2) + (cos_y * sin_z - sin_y * cos_z * cos_d).pow(2)).sqrt()
    return pl.arctan2(across, sin_y * sin_z + cos_y * cos_z * cos_d).degrees()


def _arctan2(y: Any, x: Any) -> Any:
    import polars as pl

    return pl.arctan2(y, x)


def _pi() -> Any:
    import polars as pl

    return pl.lit(math.pi)


def _number(name: str, parameters: str, meaning: str, build: Callable[..., Any], *, whole: bool = False) -> Function:
    return Function(name, tuple(parameters.split()), Kind.FLOAT, meaning, build, whole)


def _text(name: str, meaning: str, build: Callable[..., Any]) -> Function:
    return Function(name, ("text",), Kind.TEXT, meaning, build)


FUNCTIONS = {
    function.name: function
    for function in (
        _number("abs", "x", "absolute value", lambda x: x.abs(), whole=True),
        _number("sign", "x", "-1, 0 or 1", lambda x: x.sign(), whole=True),
        _number("floor", "x", "the largest whole number not above x", lambda x: x.floor(), whole=True),
        _number("ceil", "x", "the smallest whole number not below x", lambda x: x.ceil(), whole=True),
        _number("sqrt", "x", "square root; NULL below 0", lambda x: x.sqrt()),
        _number("exp", "x", "e to the power of x", lambda x: x.exp()),
        _number("ln", "x", "natural logarithm; NULL at and below 0", lambda x: x.log()),
        _number("log10", "x", "logarithm to base 10; NULL at and below 0", _log10),
        _number("power", "x y", "x to the power of y, like x ^ y", lambda x, y: x.pow(y)),
        _number("sin", "x", "sine of an angle in radians", lambda x: x.sin()),
        _number("cos", "x", "cosine of an angle in radians", lambda x: x.cos()),
        _number("tan", "x", "tangent of an angle in radians", lambda x: x.tan()),
        _number("asin", "x", "arc sine in radians; NULL beyond -1 to 1", lambda x: x.arcsin()),
        _number("acos", "x", "arc cosine in radians; NULL beyond -1 to 1", lambda x: x.arccos()),
        _number("atan", "x", "arc tangent in radians", lambda x: x.arctan()),
        _number("atan2", "y x", "angle of the point (x, y) in radians", _arctan2),
        _number("degrees", "x", "radians to degrees", lambda x: x.degrees()),
        _number("radians", "x", "degrees to radians", lambda x: x.radians()),
        _number("pi", "", "3.14159...", _pi),
        _number(
            "angular_distance",
            "ra dec lon lat",
            "distance on the sky between (ra, dec) and (lon, lat), all in degrees",
            _angular_distance,
        ),
        _number(
            "ab_magnitude",
            "flux_njy",
            "AB magnitude of a flux in nJy, 31.4 - 2.5 log10(flux); NULL at and below 0",
            lambda flux: AB_ZERO_POINT - 2.5 * _log10(flux),
        ),
        _text("lower", "text in lower case", lambda text: text.str.to_lowercase()),
        _text("upper", "text in upper case", lambda text: text.str.to_uppercase()),
    )
}

SPECIAL = {
    "round": (
        "round(x, digits)",
        "nearest number with so many decimals (0 to 15; 0 if left out); halves go away from 0",
    ),
    "coalesce": ("coalesce(a, b, ...)", "the first that isn't NULL"),
    "nullif": ("nullif(a, b)", "NULL where a = b, else a"),
    "least": ("least(a, b, ...)", "the smallest; NULL if any is NULL"),
    "greatest": ("greatest(a, b, ...)", "the largest; NULL if any is NULL"),
}
"""Functions whose result has the kind of their arguments, or that want a constant: signature and meaning."""

OTHER_NAMES = {"ceiling": "ceil", "pow": "power"}
"""Second names that SQL knows."""

NAMES = (*FUNCTIONS, *SPECIAL, *LIGHT_CURVE_FUNCTIONS, "cast")

_MANY_ROWS = """
any_value array_agg avg count dense_rank first first_value lag last last_value lead list max mean median min mode ntile
quantile rank row_number stddev string_agg sum variance
"""
AGGREGATES = frozenset(_MANY_ROWS.split())
"""Functions of many rows, for the message that refuses them."""
