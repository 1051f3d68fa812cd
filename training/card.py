"""``python -m training.card``: writes the shipped bundle's figures into docs/model-card.md, between its markers."""

from collections.abc import Sequence
from pathlib import Path

import typer

from broker.model_report.failings import failings
from broker.model_report.told import told
from classifiers.bundle import bundle_sha256, default_bundle_path, read_manifest
from classifiers.calibration import HISTORIES, HOSTS
from classifiers.evaluation import ENSEMBLE, EVALUATION, Evaluation, read_evaluation
from classifiers.manifest import CalibrationEntry, Manifest, ScoreEntry
from classifiers.taxonomy import BY_ID
from training.span_scores import span_names

CARD = Path(__file__).parents[1] / "docs" / "model-card.md"
BEGIN, END = "<!-- figures of the shipped bundle: python -m training.card -->", "<!-- end of the figures -->"

_PLAINLY = """Answers with probabilities of {number} classes ({names}) and a novelty score. There is no class for
anything else. `prior` in the manifest is the class mix of what it was fitted on, not the sky's. Scores on simulated
objects say how well the simulator's classes are told apart, not how well the sky's are."""


def main() -> None:
    """Write the shipped bundle's figures into its model card."""
    CARD.write_text(with_figures(CARD.read_text(), default_bundle_path()))


def with_figures(text: str, bundle: Path) -> str:
    """The card with the figures between its markers replaced by those of a bundle, of its evaluation where it has one.

    Raises
    ------
    ValueError
        If the card has no such markers.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{CARD} has no lines {BEGIN!r} and {END!r}; put them where the figures belong")
    text = figures(read_manifest(bundle))
    if (bundle / EVALUATION).exists():
        text = f"{text}\n\n{evaluated(read_evaluation(bundle))}"
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def card_of(bundle: Path) -> str:
    """A model card of any bundle with an evaluation: what it was fitted on and how, where it fails, its figures.

    Raises
    ------
    BundleError
        If the bundle or its evaluation isn't there, or can't be read.
    """
    found = told(bundle)
    manifest = found.manifest
    names = ", ".join(entry.name for entry in manifest.classes)
    return "\n\n".join(
        [
            f"# Model card: {manifest.name} {manifest.version}",
            _PLAINLY.format(number=len(manifest.classes), names=names),
            "## Where it fails",
            "\n".join(f"* {line}" for line in failings(found.evaluation)),
            "## Figures",
            figures(manifest),
            f"{evaluated(found.evaluation)}\n",
        ]
    )


def figures(manifest: Manifest) -> str:
    """The figures of a bundle in Markdown."""
    training = manifest.training_set
    objects, curves = training.objects_per_class, training.light_curves_per_class
    weights = ", ".join(f"{member.kind} {member.weight:g}" for member in manifest.members)
    samples = list(dict.fromkeys(entry.sample for entry in manifest.scores))
    return "\n\n".join(
        [
            f"Bundle `{manifest.name}`, version {manifest.version}, sha256 `{bundle_sha256(manifest)}`.",
            f"Fitted on {training.description} (sha256 of the examples `{training.sha256}`).",
            _table(
                ("source", "objects", "seed", "licence"),
                [(s.name, str(s.objects), str(s.seed), s.licence) for s in training.sources],
            ),
            _table(
                ("class", "objects", "light curves"),
                [(name, str(objects[name]), str(curves[name])) for name in objects],
            ),
            f"Weights in the geometric mean: {weights}. Temperatures of the calibration by days:",
            _temperatures(manifest.calibration),
            "Biases of the calibration by days:",
            _biases(manifest),
            *(_scores(sample, [entry for entry in manifest.scores if entry.sample == sample]) for sample in samples),
        ]
    )


def _temperatures(calibration: CalibrationEntry) -> str:
    cases = [f"{host}, {history}" for host in HOSTS for history in HISTORIES]
    rows = [
        (span, *(f"{value:.2f}" for by_history in by_host for value in by_history))
        for span, by_host in zip(span_names(calibration.days), calibration.temperatures, strict=True)
    ]
    return _table(("days", *cases), rows)


def _biases(manifest: Manifest) -> str:
    calibration = manifest.calibration
    rows = [
        (entry.name, *(f"{value:+.2f}" for value in values))
        for entry, values in zip(manifest.classes, zip(*calibration.biases, strict=True), strict=True)
    ]
    return _table(("class", *span_names(calibration.days)), rows)


def evaluated(evaluation: Evaluation) -> str:
    """The headline figures of an evaluation in Markdown."""
    parts = [
        "The ensemble and each member by itself, ages of 1, 2, 4 ... 1024 days; weighted: the challenge's log-loss:",
        *(_answers(name, evaluation) for name in dict.fromkeys(sample.name for sample in evaluation.samples)),
        "ECE of the ensemble by span of days, with the number of light curves:",
        _calibration(evaluation),
    ]
    if evaluation.novelty:
        parts += ["Novelty: a class left out of a network's fit, told from the others (AUROC):", _novelty(evaluation)]
    return "\n\n".join(parts)


def _answers(name: str, evaluation: Evaluation) -> str:
    header = ("host", "answer", "objects", "light curves", "NLL", "weighted", "Brier", "macro F1", "macro AUC", "ECE")
    rows = []
    for sample in (sample for sample in evaluation.samples if sample.name == name):
        for answer in sample.answers:
            each = answer.all_ages.figures
            figures = (each.nll, each.weighted, each.brier, each.macro_f1, each.macro_auc, each.ece)
            counts = (str(each.objects), str(each.light_curves))
            rows.append((sample.host, answer.name, *counts, *map(_figure, figures)))
    return f"{name}.\n\n{_table(header, rows)}"


def _calibration(evaluation: Evaluation) -> str:
    groups = [(sample, sample.answer(ENSEMBLE).spans) for sample in evaluation.samples]
    names = list(dict.fromkeys(span.name for _, spans in groups for span in spans))
    rows = []
    for sample, spans in groups:
        told = {span.name: f"{span.figures.ece:.3f} ({span.figures.light_curves})" for span in spans}
        rows.append((sample.name, sample.host, *(told.get(name, "") for name in names)))
    return _table(("sample", "host", *names), rows)


def _novelty(evaluation: Evaluation) -> str:
    rows = [
        (BY_ID[trial.class_id].name, str(trial.objects), f"{trial.auroc:.3f}", f"{trial.auroc_uncertainty:.3f}")
        for trial in evaluation.novelty
    ]
    return _table(("class left out", "light curves", "novelty score", "1 - largest probability"), rows)


def _scores(sample: str, entries: Sequence[ScoreEntry]) -> str:
    header = ("days", "host", "light curves", "NLL", "NLL of prior", "accuracy", "macro F1", "macro AUC", "ECE")
    rows = [(entry.days, entry.host, str(entry.light_curves), *map(_figure, _values(entry))) for entry in entries]
    return f"Held out: {sample}.\n\n{_table(header, rows)}"


def _values(entry: ScoreEntry) -> tuple[float | None, ...]:
    return (entry.nll, entry.prior_nll, entry.accuracy, entry.macro_f1, entry.macro_auc, entry.ece)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    typer.run(main)
