"""The annotation table: one module a kind of table."""

from broker.config import Config
from broker.run_directory import RunDirectory
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import AnnotationTable


def table_of(config: Config, run: RunDirectory) -> AnnotationTable:
    """The annotation table that a configuration asks for."""
    settings = config.table
    if settings.kind == "parquet":
        return ParquetAnnotations(run)
    from broker.tables.delta import DeltaAnnotations  # its engine takes a while to load

    return DeltaAnnotations(settings.path or run.annotations, settings.options)
