"""Which run does a command mean? Its directory, or the configuration that names it."""

from pathlib import Path

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.config import load_config
from broker.run_directory import RunDirectory


def run_of(given: Path) -> RunDirectory:
    """The run's directory, from itself or from a configuration file; ends the command where it isn't one."""
    run = RunDirectory(given if given.is_dir() else load_config(given).to)
    if not run.ledger.exists():
        stop(f"{run.path} holds no ledger; give a directory that `boreal run` wrote to", GAVE_SOMETHING_WRONG)
    return run
