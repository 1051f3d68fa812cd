"""All figures of a bundle's evaluation, by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from broker.model_report.confusion import confusion
from broker.model_report.curves import by_age, by_detections
from broker.model_report.names import HOSTS, hosts_of, names_of_samples, short
from broker.model_report.per_class import per_class
from broker.model_report.reliability import reliability
from classifiers.evaluation import ENSEMBLE, Evaluation, Sample

MANY = 200
"""Fewer light curves of one age have no confusion of their own."""


@dataclass(frozen=True)
class Drawn:
    """A figure, the name of its file, and what it shows in words."""

    name: str
    label: str
    figure: Figure


@dataclass(frozen=True)
class OfSample:
    """The figures of one sample, with host and without."""

    ages: Drawn
    detections: Drawn
    reliability: Drawn
    per_class: Drawn
    confusions: tuple[Drawn, ...]

    def __iter__(self) -> Iterator[Drawn]:
        yield from (self.ages, self.detections, self.reliability, self.per_class, *self.confusions)


def figures_of(evaluation: Evaluation) -> dict[str, OfSample]:
    """The figures of each sample, by its name."""
    names = names_of_samples(evaluation)
    return {name: _of_sample(evaluation, hosts_of(evaluation, name), f"s{k + 1}") for k, name in enumerate(names)}


def save(figures: dict[str, OfSample], folder: Path, kind: str) -> list[Path]:
    """Write each into a file of its own.

    Parameters
    ----------
    kind : ``svg`` or ``pdf``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context({"svg.hashsalt": "boreal", "pdf.fonttype": 42}):
        for drawn in (drawn for sample in figures.values() for drawn in sample):
            paths.append(folder / f"{drawn.name}.{kind}")
            drawn.figure.savefig(paths[-1], metadata={"CreationDate" if kind == "pdf" else "Date": None})
    return paths


def _of_sample(evaluation: Evaluation, samples: list[Sample], prefix: str) -> OfSample:
    what = short(samples[0].name)
    return OfSample(
        Drawn(f"{prefix}-ages", f"{what}: scores by days since the first detection", by_age(samples)),
        Drawn(f"{prefix}-detections", f"{what}: scores by number of detections", by_detections(samples)),
        Drawn(f"{prefix}-reliability", f"{what}: reliability of the best class", reliability(samples)),
        Drawn(f"{prefix}-classes", f"{what}: purity, completeness and F1 of each class", per_class(samples)),
        tuple(_confusions(evaluation, samples, prefix)),
    )


def _confusions(evaluation: Evaluation, samples: list[Sample], prefix: str) -> Iterator[Drawn]:
    """At all ages; and with host at each age that is told and has `MANY` light curves."""
    for sample in samples:
        answer = sample.answer(ENSEMBLE)
        many = [group for group in answer.ages if group.confusion and group.figures.light_curves >= MANY]
        ages = many if sample.host == "with" else []
        for group in (answer.all_ages, *ages):
            name = f"{prefix}-confusion-{group.name}-{sample.host}-host"
            days = "day" if group.name == "1" else "days"
            when = "all ages" if group.name == "all" else f"{group.name} {days} after the first detection"
            label = f"{HOSTS[sample.host]}, {when}: {group.figures.light_curves:,} light curves"
            yield Drawn(name, label, confusion(evaluation, group))
