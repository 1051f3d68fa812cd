"""Where results go: one module a kind, each with one constant `SINK`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from broker.sinks.sink import Sink


@cache
def discover() -> tuple[Sink, ...]:
    """Every sink of this package, by name."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return tuple(sorted((m.SINK for m in modules if hasattr(m, "SINK")), key=lambda sink: sink.name))
