"""`boreal-train evaluate`: how good a bundle is, on objects that it was not fitted on."""

from pathlib import Path
from typing import Annotated, Any

import typer

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from classifiers.bundle import Bundle, save
from classifiers.evaluation import (
    COST,
    EVALUATION,
    Evaluation,
    NoveltyTrial,
    read_evaluation,
    write_costs,
    write_evaluation,
)
from training._progress import ProgressBars
from training.evaluation.bundle import evaluate as evaluation_of
from training.evaluation.cost import measure, n_steps
from training.official import read_training_set
from training.plasticc import Recipe, plasticc_source
from training.sources import SHIPPED_OBJECTS, Source, sources

EXAMPLE = "Example: boreal-train evaluate bundles/mine --out mine.json"


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Directory of the bundle.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the official training set; what ships and is simulated if left out.")
    ] = None,
    test_share: Annotated[float, typer.Option(min=0.02, max=1.0, help="With --data: of each class, kept back.")] = 0.15,
    objects: Annotated[int, typer.Option(min=50, help="Without --data: simulated objects.")] = SHIPPED_OBJECTS,
    seed: Annotated[
        int | None, typer.Option(help="Of what is kept back; that of the bundle's fit if left out, or it knows them.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, JSON; if left out, it goes into the bundle.")] = None,
) -> None:
    """Score a bundle and its members on held-out objects at all ages; `boreal model report` shows what is written.

    The held-out objects are those of `boreal-train shipped`, or of `boreal-train plasticc` with the same --test-share.
    """
    if out and not out.absolute().parent.is_dir():
        stop(f"{out.parent} is no folder; make it before what goes into it", GAVE_SOMETHING_WRONG)
    loaded = Bundle.load(bundle)
    fitted = loaded.manifest.training_set.sources[0].seed
    chosen = fitted if seed is None else seed
    found = sources(objects, chosen) if data is None else (_official(data, test_share, chosen),)
    with ProgressBars() as stages:
        evaluation = evaluation_of(loaded, found, chosen, stages, _trials(loaded))
        if chosen != fitted:
            evaluation = _with_doubt(evaluation, fitted)
        costs = measure(loaded, stages.begin("Cost of an alert", n_steps(loaded)))
    if out is None:
        _put_into(loaded, evaluation)
        write_costs(bundle / COST, costs)
    else:
        write_evaluation(out, evaluation.model_copy(update={"cost": costs}))
    typer.echo(f"The evaluation of {loaded.name} {loaded.version} is in {out or bundle / EVALUATION}")


def _with_doubt(evaluation: Evaluation, fitted: int) -> Evaluation:
    doubt = f"The bundle was fitted with seed {fitted}, not {evaluation.seed}: it may know some of these objects."
    return evaluation.model_copy(update={"notes": (doubt, *evaluation.notes)})


def _trials(bundle: Bundle) -> tuple[NoveltyTrial, ...]:
    """What a fit has found out of novelty by leaving classes out, which scoring anew doesn't."""
    known = bundle.manifest.files.get(EVALUATION)
    return read_evaluation(bundle.path).novelty if known else ()


def _official(data: Path, test_share: float, seed: int) -> Source:
    return plasticc_source(read_training_set(data), Recipe(copies=0, test_share=test_share, seed=seed))


def _put_into(bundle: Bundle, evaluation: Evaluation) -> None:
    """Write the evaluation beside the manifest, which gets its hash, and say what has become of the bundle's own."""
    write_evaluation(bundle.path / EVALUATION, evaluation)
    content: dict[str, Any] = bundle.manifest.model_dump(mode="json", exclude={"files", "format_version"})
    save(bundle.path, content, tuple({*bundle.manifest.files, EVALUATION}))
    typer.echo(f"The manifest holds its hash; the bundle's sha256 was {bundle.sha256}")
