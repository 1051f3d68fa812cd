"""What works on micro-batches, whoever brings them: the worker's function, the filters as they are now, the committer.

The stream and a replay of the dead-letter bring packets to the same service.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa

from broker.annotate import schema_for
from broker.commit import Committer, Settings
from broker.config import Config
from broker.explanation.column import check_explains
from broker.filters.definition import Filter
from broker.filters.watch import Change, FilterWatch
from broker.object_store import WAIT
from broker.outgoing.delivery import Delivery
from broker.outgoing.registration import registry_settings
from broker.run_directory import RunDirectory
from broker.shadow.manifests import keep
from broker.shadow.model import ShadowModel
from broker.sources.intake import Reader
from broker.spark.worker import Worker
from broker.tables import table_of
from classifiers.bundle import bundle_sha256, check_bundle, default_bundle_path

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model bundle that was checked, and what annotations made with it look like.

    Parameters
    ----------
    path : the bundle's directory.
    sha256 : its hash.
    version : as its manifest says.
    schema : the annotation columns.
    shadow : a second bundle that runs beside it; None for none.
    explain : how many features each annotation says why by; 0 for none.
    """

    path: Path
    sha256: str
    version: str
    schema: pa.Schema
    shadow: ShadowModel | None = None
    explain: int = 0

    @classmethod
    def of(cls, config: Config) -> "Model":
        """The configured bundle, or the one that ships, and its shadow.

        Raises
        ------
        BundleError
            If one can't be used, or can't say why and is to.
        """
        path = config.bundle or default_bundle_path()
        manifest = check_bundle(path)
        check_explains(manifest, config.explain)
        if manifest.lacks:
            LOG.warning("the bundle %s is %s", path, manifest.lacks)
        sha256 = bundle_sha256(manifest)
        shadow = ShadowModel.of(config.shadow, sha256)
        schema = schema_for(manifest, explained=config.explain > 0)
        return cls(path, sha256, manifest.version, schema, shadow, config.explain)


class Service(AbstractContextManager["Service"]):
    """A run's directory at work; the caller holds its lock.

    Parameters
    ----------
    config : of the run.
    model : its bundle.
    read : the source's way to packets.
    on_filters : told of filters that changed, and of those that were refused.

    Raises
    ------
    FilterError, LedgerError, TableError, KafkaFailedError, WrongInputError
    """

    def __init__(self, config: Config, model: Model, read: Reader, on_filters: Callable[[Change], None]) -> None:
        self._config, self._model, self._read, self._on_filters = config, model, read, on_filters
        run = RunDirectory(config.to)
        self._cleanup = ExitStack()
        self._watch = FilterWatch.start(config.filters, model.schema, run.filters)
        self._registry = registry_settings(config.registry, run.schemas) if config.registry else None
        self._delivery = self._open_delivery()
        self._worker = self._make_worker()
        table_of(config, run).nights()  # a wrong address or login is told at once; later on a store is waited for
        if model.shadow:
            keep(run, model.path, model.shadow.path)
        self.committer = Committer(
            run,
            self._watch.filters,
            Settings(table_of(config, run, WAIT), config.deliver.to_files, config.remember_days, model.sha256),
            self._delivery.publishing(self._worker.destinations) if self._delivery else None,
        )

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters in use."""
        return self._watch.filters

    @property
    def refused_filters(self) -> int:
        """Files of filters that are refused."""
        return self._watch.refused

    def worker(self) -> Worker:
        """The function for the next packets; filters that changed are taken in."""
        change = self._watch.refresh()
        if change:
            self._on_filters(change)
        if change and (change.added or change.changed or change.removed):
            self._worker = self._make_worker()
            self.committer.change_filters(self._watch.filters, self._worker.destinations)
        return self._worker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _open_delivery(self) -> Delivery | None:
        wanted = self._config.deliver.kafka
        if wanted is None:
            return None
        delivery = Delivery(self._config, wanted, self._model.schema)
        self._cleanup.callback(delivery.close)
        return delivery

    def _make_worker(self) -> Worker:
        model, filters = self._model, self._watch.filters
        destinations = self._delivery.destinations(filters) if self._delivery else ()
        return Worker(self._read, model.path, filters, destinations, self._registry, model.shadow, model.explain)
