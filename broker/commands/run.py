"""`boreal run`: the main job."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.config import ArchivesSource, Config, config_from_options, load_config
from broker.logs import is_json, set_up
from broker.run_directory import RunDirectory

HELP = """Read alert packets, annotate and classify them, and deliver what each subscriber's filter asks for.

Examples: `boreal run examples/lsst.yaml --once`, or without a file
`boreal run --from packets --to results --filters filters`. Without --once it keeps watching the directory;
Ctrl-C ends it after the micro-batch in hand.
"""


def run(
    config: Annotated[Path | None, typer.Argument(help="Configuration file (YAML).")] = None,
    source: Annotated[Path | None, typer.Option("--from", help="Directory of packets, instead of a file.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Directory for the results.")] = None,
    filters: Annotated[Path | None, typer.Option("--filters", help="Directory of subscribers' filters.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Take what is there now and end.")] = False,
) -> None:
    """Run the broker over a directory of packets."""
    # Spark and the classifiers take a second to import; the other commands don't wait for them.
    from broker.job import Job, Watcher
    from broker.log_progress import LogProgress
    from broker.progress import Progress

    settings = _configuration(config, source, to, filters)
    set_up(settings.log)
    console = Console(highlight=False)
    job = Job.prepare(settings)
    progress = LogProgress() if is_json() else Progress(console)
    try:
        ledger = job.run(once=once, watcher=Watcher(progress.start, progress.batch, progress.filters))
    finally:
        progress.stop()
    progress.close(ledger)
    if is_json():
        return
    report = RunDirectory(job.config.to).report
    console.print(f"results: {job.config.to}" + (f"\nreport:  {report}" if report.exists() else ""), soft_wrap=True)


def _configuration(config: Path | None, source: Path | None, to: Path | None, filters: Path | None) -> Config:
    if config is not None:
        if source or to or filters:
            stop("give a configuration file, or --from, --to and --filters; not both", GAVE_SOMETHING_WRONG)
        found = load_config(config)
        if isinstance(found.source, ArchivesSource):
            stop(f"archives are read once, to their end: boreal reprocess {config}", GAVE_SOMETHING_WRONG)
        return found
    if source is None or to is None:
        stop("give a configuration file, or both --from and --to; see boreal run --help", GAVE_SOMETHING_WRONG)
    return config_from_options(source, to, filters)
