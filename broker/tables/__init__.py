"""The annotation table: one module a kind of table."""

from collections.abc import Mapping
from types import MappingProxyType

from broker.config import Config
from broker.object_store import is_address
from broker.run_directory import RunDirectory
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import AnnotationTable


def table_of(config: Config, run: RunDirectory, further: Mapping[str, str] = MappingProxyType({})) -> AnnotationTable:
    """The annotation table that a configuration asks for.

    Parameters
    ----------
    config, run : of the run.
    further : options of an object store, such as `broker.object_store.WAIT`; those of the configuration win.
    """
    settings = config.table
    if settings.kind == "parquet":
        return ParquetAnnotations(run)
    from broker.tables.delta import DeltaAnnotations  # its engine takes a while to load

    if settings.path and is_address(settings.path):
        return DeltaAnnotations(settings.path, {**further, **settings.options})
    return DeltaAnnotations(settings.path or run.annotations)
