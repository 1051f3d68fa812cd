"""One module a family of features; `discover` finds them."""

import importlib
import pkgutil
from functools import lru_cache

from features.family import FeatureFamily


@lru_cache(maxsize=1)
def discover() -> tuple[FeatureFamily, ...]:
    """Every family: the constant `FEATURES` of each module of this package, in the order of the module names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").FEATURES for name in names)
