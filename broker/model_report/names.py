"""How samples, answers and classes are called on the page and in figures."""

import re
from collections.abc import Iterable

from classifiers.evaluation import ENSEMBLE, UNCALIBRATED, Answer, Evaluation, Sample
from classifiers.taxonomy import BY_ID

HOSTS = {"with": "with host", "without": "without host"}


def short(name: str) -> str:
    """A sample's name up to its first comma or bracket."""
    return re.split(r"[,(]", name)[0].strip()


def title(sample: Sample) -> str:
    """A sample in a few words: ``ELAsTiCC2 training light curves, without host``."""
    return f"{short(sample.name)}, {HOSTS[sample.host]}"


def class_name(class_id: int) -> str:
    """The class as the taxonomy names it."""
    return BY_ID[class_id].name


def names_of_samples(evaluation: Evaluation) -> list[str]:
    """The samples, each once, in the order of the evaluation."""
    return list(dict.fromkeys(sample.name for sample in evaluation.samples))


def hosts_of(evaluation: Evaluation, name: str) -> list[Sample]:
    """A sample with and without host."""
    return [sample for sample in evaluation.samples if sample.name == name]


def members_of(answers: Iterable[Answer]) -> list[Answer]:
    """Those of members by themselves."""
    return [answer for answer in answers if answer.name not in (ENSEMBLE, UNCALIBRATED)]
