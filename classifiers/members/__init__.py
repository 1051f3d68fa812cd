"""Kinds of ensemble members, one module each, with one constant `CLASSIFIER`."""

import pkgutil
from functools import cache
from importlib import import_module

from classifiers.member import MemberKind


@cache
def discover() -> dict[str, MemberKind]:
    """Every kind of member, by name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    kinds: list[MemberKind] = [import_module(f"{__name__}.{name}").CLASSIFIER for name in modules]
    return {kind.name: kind for kind in kinds}
