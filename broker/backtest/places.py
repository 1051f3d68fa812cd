"""From what a person gives as --over to annotated alerts."""

from collections.abc import Callable, Iterator, Sequence
from glob import glob
from pathlib import Path

from broker.backtest.alerts import Alerts
from broker.backtest.table_alerts import TableAlerts
from broker.errors import WrongInputError
from broker.object_store import is_address
from broker.run_directory import RunDirectory
from broker.tables.dataset import annotations_at
from classifiers.bundle import Bundle

GIVE = "give the results of a run, its configuration, Parquet files of annotations, a Delta table, or packets"


def alerts_of(given: Sequence[str], load_bundle: Callable[[], Bundle]) -> list[Alerts]:
    """The alerts in each place.

    Parameters
    ----------
    given : directories, files, patterns of names, or addresses of Delta tables.
    load_bundle : asked for the classifiers where there are packets.

    Raises
    ------
    WrongInputError
        If there is nothing at a place, or nothing that can be used.
    TableError
        If a table can't be read.
    """
    return [alerts for name in given for alerts in _alerts_at(name, load_bundle)]


def _alerts_at(name: str, load_bundle: Callable[[], Bundle]) -> Iterator[Alerts]:
    path = Path(name)
    configured = path.suffix in (".yaml", ".yml") and path.is_file()
    kept = RunDirectory(path).ledger.exists() or (path / "_delta_log").is_dir()
    if is_address(name) or configured or kept:
        yield TableAlerts.of(name, annotations_at(name).dataset)
    elif path.is_dir():
        yield from _files(name, list(_below(path)), path, load_bundle)
    else:
        found = [path] if path.is_file() else sorted(map(Path, glob(name, recursive=True)))  # noqa: PTH207  a pattern of any path
        yield from _files(name, [file for file in found if file.is_file()], Path(), load_bundle)


def _files(name: str, files: Sequence[Path], folder: Path, load_bundle: Callable[[], Bundle]) -> Iterator[Alerts]:
    """Parquet files are a table; without one all are packets."""
    if not files:
        raise WrongInputError(f"there is no file at {name}; {GIVE}")
    tables = [file for file in files if file.suffix == ".parquet"]
    if tables:
        yield TableAlerts.of_files(name, tables, folder)
        return
    from broker.backtest.packet_alerts import PacketAlerts  # the pipeline takes a second to load

    names = [str(file.relative_to(folder) if file.is_relative_to(folder) else file) for file in files]
    yield PacketAlerts(name, folder, names, load_bundle())


def _below(folder: Path) -> Iterator[Path]:
    """Files in a folder and its folders, but those that begin with a dot or an underscore: they aren't finished."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path
