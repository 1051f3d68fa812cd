"""The surveys: one module each, with one constant `SURVEY`."""

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from schemas.survey import Survey


@cache
def discover() -> MappingProxyType[str, Survey]:
    """Every survey of this package, by name."""
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    found: list[Survey] = [import_module(f"{__name__}.{name}").SURVEY for name in sorted(names)]
    return MappingProxyType({survey.name: survey for survey in found})


def recognise(record_name: str) -> tuple[Survey, re.Match[str]] | None:
    """The survey whose alerts are Avro records of this full name, with the match of its pattern; None for no survey."""
    for survey in discover().values():
        if match := survey.record_name.fullmatch(record_name):
            return survey, match
    return None
