"""`boreal filter`: check filters, and what else there is for who writes one."""

import json as json_format
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table

from broker.commands import filter_backtest, filter_diff, filter_explain, filter_fields
from broker.commands._exit import CHECK_FAILED
from broker.filters.definition import Filter
from broker.findings import Finding, report

app = typer.Typer(
    help="Check, try and explain subscribers' filters.\n\nExample: `boreal filter check filters/`.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BundlePath = Annotated[
    Path | None,
    typer.Option("--bundle", help="Model bundle whose columns a condition may use; the shipped one if left out."),
]


@app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Filter files, or directories of them.", metavar="FILE_OR_DIR...")
    ],
    bundle: BundlePath = None,
    json: Json = False,
) -> None:
    """Check filters, and print what is wrong with its line and place; exit code 1 if anything is.

    Example: `boreal filter check filters/ mine.yaml`.
    """
    from broker.filters.read import read_filters

    files = list(dict.fromkeys(file for path in paths for file in filter_paths(path)))
    filters, findings = read_filters(files, schema_of(bundle))
    failed = any(not finding.warning for finding in findings)
    if json:
        rows = [_row(each) for each in filters]
        told = [finding.to_json() for finding in findings]
        typer.echo(
            json_format.dumps({"ok": not failed, "filters": rows, "findings": told}, indent=2, ensure_ascii=False)
        )
    else:
        _print(filters, findings, len(files))
    if failed:
        raise typer.Exit(CHECK_FAILED)


app.command("backtest", help=filter_backtest.HELP)(filter_backtest.backtest)
app.command("diff", help=filter_diff.HELP)(filter_diff.diff)
app.command("fields", help=filter_fields.HELP)(filter_fields.fields)
app.command("explain", help=filter_explain.HELP)(filter_explain.explain)


def filter_paths(path: Path) -> list[Path]:
    """A filter file itself, or those of a directory.

    Raises
    ------
    FilterError
        If there is nothing there.
    """
    from broker.filters.definition import FilterError, filter_files

    if not path.exists():
        raise FilterError(
            [Finding(str(path), "no such file or directory", hint="give filter files, or directories of them")]
        )
    return filter_files(path) if path.is_dir() else [path]


def schema_of(bundle: Path | None) -> pa.Schema:
    """The annotation columns of a model bundle, the one that ships if None, with those that a run may leave out.

    Raises
    ------
    BundleError
        If the bundle can't be used.
    """
    from broker.annotate import schema_for
    from classifiers.bundle import check_bundle, default_bundle_path

    return schema_for(check_bundle(bundle or default_bundle_path()), explained=True)


def _row(each: Filter) -> dict[str, str | int]:
    return {
        "name": each.name,
        "version": each.version,
        "owner": each.owner,
        "regions": len(each.regions),
        "sha256": each.sha256,
    }


def _print(filters: Sequence[Filter], findings: Sequence[Finding], n_files: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if findings:
        console.print(report(findings) + "\n", markup=False)
    if filters:
        table = Table(title="Fine")
        table.add_column("filter", no_wrap=True)
        for heading in ("version", "owner", "limits", "sends"):
            table.add_column(heading)
        for each in filters:
            table.add_row(each.name, each.version, each.owner, _limits(each), ", ".join(each.formats))
        Console(highlight=False).print(table)
    wrong = sum(not finding.warning for finding in findings)
    counts = (n_files, "file"), (len(filters), "filter"), (wrong, "error"), (len(findings) - wrong, "warning")
    files, fine, errors, warnings = (f"{n} {word}{'s' * (n != 1)}" for n, word in counts)
    console.print(f"{files}: {fine} fine, {errors}, {warnings}")


def _limits(each: Filter) -> str:
    limits = (
        ("per night", each.limits.per_night),
        ("per object", each.limits.per_object),
        ("days apart", each.limits.cooldown_days),
    )
    return ", ".join(f"{value:g} {name}" for name, value in limits if value is not None) or "-"
