"""`boreal model`: what a model bundle holds, whether it is whole, and how good it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.commands import model_compare, model_report, model_without
from broker.commands._console import print_whole
from broker.commands._exit import CHECK_FAILED, complain, stop
from classifiers.bundle import Bundle, BundleError, bundle_sha256, default_bundle_path, read_manifest
from classifiers.evaluation import ENSEMBLE, EVALUATION, Answer, EvaluationError, read_evaluation
from classifiers.manifest import Manifest, ScoreEntry

app = typer.Typer(
    help="Model bundles: what they hold, whether they are whole, how good they are.\n\nExample: `boreal model info`.",
    no_args_is_help=True,
)
app.command("report", help=model_report.HELP)(model_report.report)
app.command("compare", help=model_compare.HELP)(model_compare.model_compare)
app.command("without", help=model_without.HELP)(model_without.without)

BundlePath = Annotated[
    Path | None, typer.Argument(metavar="[BUNDLE]", help="Directory of a bundle; the shipped one if left out.")
]


@app.command(epilog="Example: boreal model info classifiers/bundles/first")
def info(
    bundle: BundlePath = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Print a bundle's name, members, classes, training set and scores."""
    path = bundle or default_bundle_path()
    manifest = read_manifest(path)
    if as_json:
        typer.echo(json.dumps({**manifest.model_dump(mode="json"), "sha256": bundle_sha256(manifest)}, indent=1))
        return
    console = Console(highlight=False)
    console.print(_summary(manifest))
    for table in (*_members(path, manifest), _classes(manifest), *_scores(manifest)):
        print_whole(table, console)


@app.command(epilog="Example: boreal model verify classifiers/bundles/first")
def verify(bundle: BundlePath = None) -> None:
    """Check every file of a bundle against its manifest, and load them all; exit with 1 if anything is wrong."""
    path = bundle or default_bundle_path()
    try:
        loaded = Bundle.load(path)
        _ = loaded.neighbours  # which nothing but an explanation reads
        if EVALUATION in loaded.manifest.files:
            read_evaluation(path)
    except BundleError as error:
        stop(str(error), CHECK_FAILED)
    Console(soft_wrap=True).print(
        f"{loaded.name} {loaded.version} is {loaded.manifest.lacks or 'whole'}: "
        f"{len(loaded.manifest.files)} files as they were saved, sha256 {loaded.sha256}"
    )


def _summary(manifest: Manifest) -> Table:
    training = manifest.training_set
    table = Table(title=f"Bundle {manifest.name} {manifest.version}", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("sha256", bundle_sha256(manifest))
    for member in manifest.members:
        table.add_row(f"member: {member.kind}", f"weight {member.weight:g}, {', '.join(member.files)}")
    if manifest.lacks:
        table.add_row("lacks", manifest.lacks)
    table.add_row("features", f"{len(manifest.features)}, {_code_state(manifest)}")
    table.add_row("fitted on", training.description)
    for source in training.sources:
        table.add_row("", f"{source.objects} objects: {source.name} ({source.licence}; seed {source.seed})")
    table.add_row("examples' sha256", training.sha256)
    table.add_row("fitted with", f"Boreal {manifest.code_version}")
    return table


def _members(path: Path, manifest: Manifest) -> Iterator[Table]:
    """What each member scores by itself beside the ensemble, where the bundle has an evaluation."""
    if not (path / EVALUATION).exists():
        return
    try:
        samples = read_evaluation(path).samples
    except EvaluationError as error:
        complain(str(error))
        return
    weights = [f"{member.weight:g}" for member in manifest.members]
    for sample in samples:
        title = f"Members by themselves, {sample.host} host, at ages of 1 to 1024 days: {sample.name}"
        table = Table(title=title, title_justify="left")
        for name in ("answer", "weight", "curves", "NLL", "weighted", "Brier", "ECE", "accuracy", "F1", "AUC"):
            table.add_column(name, justify="left" if name == "answer" else "right", no_wrap=True)
        others = [""] * (len(sample.answers) - len(weights))
        for answer, weight in zip(sample.answers, [*weights, *others], strict=True):
            table.add_row(answer.name, weight, *_alone(answer), style="bold" if answer.name == ENSEMBLE else None)
        yield table


def _alone(answer: Answer) -> list[str]:
    each = answer.all_ages.figures
    figures = (each.nll, each.weighted, each.brier, each.ece, each.accuracy, each.macro_f1, each.macro_auc)
    return [str(each.light_curves), *map(_figure, figures)]


def _code_state(manifest: Manifest) -> str:
    from features.extract import code_hash

    same = code_hash() == manifest.features_code_sha256
    return "computed by the code of today" if same else "whose code has changed since the bundle was fitted"


def _classes(manifest: Manifest) -> Table:
    training = manifest.training_set
    table = Table(title="Classes", title_justify="left")
    for name in ("classId", "class", "PLAsTiCC", "objects", "light curves", "prior"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for entry, prior in zip(manifest.classes, manifest.prior, strict=True):
        objects, curves = (
            str(counts.get(entry.name, 0)) for counts in (training.objects_per_class, training.light_curves_per_class)
        )
        table.add_row(str(entry.id), entry.name, str(entry.plasticc or ""), objects, curves, f"{prior:.4f}")
    return table


def _scores(manifest: Manifest) -> Iterator[Table]:
    """A table per sample that the bundle was not fitted on."""
    for sample in dict.fromkeys(entry.sample for entry in manifest.scores):
        table = Table(title=f"Scores on light curves not fitted on: {sample}", title_justify="left")
        for name in ("host", "days", "curves", "NLL", "of prior", "accuracy", "F1", "AUC", "ECE"):
            table.add_column(name, justify="left" if name == "host" else "right", no_wrap=True)
        for entry in manifest.scores:
            if entry.sample == sample:
                table.add_row(entry.host, entry.days, str(entry.light_curves), *_figures(entry))
        yield table


def _figures(entry: ScoreEntry) -> list[str]:
    figures = (entry.nll, entry.prior_nll, entry.accuracy, entry.macro_f1, entry.macro_auc, entry.ece)
    return [_figure(figure) for figure in figures]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
