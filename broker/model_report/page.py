"""The page of a bundle's evaluation: complete in itself, in the look of a run's report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from broker._atomic import write_text
from broker.model_report.failings import CALIBRATED, failings
from broker.model_report.figures import Drawn, OfSample, save
from broker.model_report.names import HOSTS, class_name, hosts_of, names_of_samples, short, title
from broker.model_report.told import Told
from broker.report._svg import inline_svg
from broker.report.page import templates
from classifiers.bundle import bundle_sha256
from classifiers.evaluation import ENSEMBLE, EVALUATION, Evaluation

PAGE = "report.html"

Tick = Callable[[], object]


def _unseen() -> None:
    """Nobody watches."""


def write_report(
    found: Told, folder: Path, figures: dict[str, OfSample], kind: str | None = None, tick: Tick = _unseen
) -> list[Path]:
    """Write the page, the evaluation beside it, and the figures as files where a kind of file is given.

    Parameters
    ----------
    folder : it is made if it doesn't exist.
    figures : of its evaluation.
    kind : ``svg`` or ``pdf``.
    tick : called after each figure that is drawn on the page.

    Returns
    -------
    The files, the page first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PAGE, render(found, figures, tick))
    write_text(folder / EVALUATION, found.evaluation.model_dump_json() + "\n")
    files = save(figures, folder / "figures", kind) if kind else []
    return [folder / PAGE, folder / EVALUATION, *files]


def render(found: Told, figures: dict[str, OfSample], tick: Tick = _unseen) -> str:
    """The page as text; whatever comes from the bundle is escaped."""

    def draw(drawn: Drawn) -> Markup:
        tick()
        return inline_svg(drawn.figure, drawn.name.replace("-", ""), drawn.label)

    evaluation = found.evaluation
    names = names_of_samples(evaluation)
    return (
        templates("report", "model_report")
        .get_template("model.html.j2")
        .render(
            manifest=found.manifest,
            sha256=bundle_sha256(found.manifest),
            found=evaluation,
            samples={name: hosts_of(evaluation, name) for name in names},
            figures=figures,
            failings=failings(evaluation),
            novelty=_novelty(evaluation),
            calibrated=CALIBRATED,
            ensemble=ENSEMBLE,
            hosts=HOSTS,
            draw=draw,
            title=title,
            short=short,
            class_name=class_name,
        )
    )


def _novelty(evaluation: Evaluation) -> dict[str, Any] | None:
    """The trials, and the means over classes."""
    trials = evaluation.novelty
    if not trials:
        return None
    auroc, other = (
        sum(getattr(trial, name) for trial in trials) / len(trials) for name in ("auroc", "auroc_uncertainty")
    )
    return {"trials": trials, "auroc": auroc, "auroc_uncertainty": other}
