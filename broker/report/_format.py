"""How numbers and names are written on the page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

MJD_ZERO = datetime(1858, 11, 17)  # noqa: DTZ001  TAI, which isn't a time zone
SMALLEST_SHOWN = 0.0005


def count(value: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{value:,}"


def percent(value: float) -> str:
    """A share between 0 and 1 in percent; one that isn't quite nothing, or quite all, says so."""
    if 0 < value < SMALLEST_SHOWN:
        return "< 0.1 %"
    if 1 - SMALLEST_SHOWN < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %"


def night(value: str) -> str:
    """``20260310`` as ``2026-03-10``; anything else as it is."""
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == len("yyyymmdd") and value.isdigit() else value


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals, a dash where it isn't known."""
    return "\N{EN DASH}" if value is None else f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float, digits: int = 2) -> str:
    """A number that always shows its sign."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def calendar(mjd: float) -> str:
    """An MJD as date and time to the second, in the MJD's own time scale; empty where no calendar reaches."""
    try:
        return (MJD_ZERO + timedelta(seconds=round(mjd * 86_400))).isoformat(sep=" ")
    except (OverflowError, ValueError):
        return ""


FILTERS: dict[str, Callable[..., Any]] = {
    filter_.__name__: filter_ for filter_ in (count, percent, night, number, signed, calendar)
}
