"""What a bundle's evaluation.json holds, typed: how good its answers are on objects that it wasn't fitted on.

`training.evaluation` computes it, `boreal model report` and `boreal model compare` read it.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from classifiers.bundle import BundleError

EVALUATION, COST = "evaluation.json", "cost.json"
"""Their names inside a bundle, beside the manifest. What alerts cost is another at every measurement, and so it is a
file that the manifest has no hash of."""

ENSEMBLE, UNCALIBRATED = "ensemble", "ensemble, uncalibrated"
"""Who answers, beside the members by themselves: the whole bundle, and the members' mean before its calibration."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reliability(_Part):
    """How often the best class is right against how probable it is told to be, in equal bins of that probability."""

    light_curves: tuple[Count, ...]
    mean_probability: tuple[float | None, ...]
    share_right: tuple[float | None, ...]


class Figures(_Part):
    """Scores of some light curves; means over classes are over the classes present.

    `nll` is the mean negative log-likelihood of the true class [nat] over the light curves as they are, so that classes
    count as they are frequent in the sample; `prior_nll` that of always answering with the training set's mix. `flat`
    and `weighted` are the challenge's log-losses (Malz et al. 2019, AJ 158, 171): means over classes of which each
    counts the same, or 15 and 64 twice, of probabilities times these weights over the training set's mix. `brier` is
    the sum of squared differences over the classes. `reliability` is there for some groups only.
    """

    objects: Count
    light_curves: Count
    classes: Count
    nll: float
    prior_nll: float
    flat: float
    weighted: float
    brier: float
    ece: float
    accuracy: float
    macro_f1: float
    macro_auc: float | None
    reliability: Reliability | None = None


class ClassFigures(_Part):
    """Scores of one class: of `light_curves` that are of it; None where the sample can't tell."""

    class_id: int
    light_curves: Count
    purity: float | None
    completeness: float | None
    f1: float | None
    auc: float | None


class Group(_Part):
    """Scores of one group of light curves: of an age, a number of detections, a span of days, or all ages.

    `confusion` counts light curves by true class (row) and best class (column), in the order of `Evaluation.classes`;
    it and `classes` are there for some groups only.
    """

    name: str
    figures: Figures
    classes: tuple[ClassFigures, ...] = ()
    confusion: tuple[tuple[Count, ...], ...] = ()


class Stability(_Part):
    """How an object's answer moves from one update to the next.

    `changed` is the share of updates that change the best class, `distance` the mean of half the sum of the
    differences of all class probabilities, `back` the share of those changes that the next update takes back, of
    `watched` ones that have a next update.
    """

    objects: Count
    updates: Count
    changed: float | None
    distance: float | None
    watched: Count
    back: float | None


class Answer(_Part):
    """All scores of one who answers: a member by its kind, `ENSEMBLE`, or `UNCALIBRATED`.

    `ages` are named by days since the first detection, `detections` by the number of detections, `spans` by days
    since the first detection as they are calibrated; `all_ages` holds every light curve of `ages`.
    """

    name: str
    all_ages: Group
    ages: tuple[Group, ...]
    detections: tuple[Group, ...]
    spans: tuple[Group, ...]
    stability_of_ages: Stability
    stability_of_detections: Stability


class ObjectLosses(_Part):
    """The whole bundle's negative log-likelihood of each object at each of `Evaluation.ages`; None before it is so old.

    Ids are text, since JSON's readers round numbers of 64 bits.
    """

    ids: tuple[str, ...]
    class_ids: tuple[int, ...]
    nll: tuple[tuple[float | None, ...], ...]

    @model_validator(mode="after")
    def _one_row_an_object(self) -> "ObjectLosses":
        if not len(self.ids) == len(self.class_ids) == len(self.nll):
            raise ValueError(
                f"{len(self.ids)} ids, {len(self.class_ids)} classes and {len(self.nll)} rows don't fit each other"
            )
        return self


class Sample(_Part):
    """Scores on the objects of one source, with or without photo-z and extinction.

    `examples_sha256` is the hash of the light curves that were scored: scores of two bundles compare where it is the
    same.
    """

    name: str
    host: Literal["with", "without"]
    objects: Count
    examples_sha256: Sha256
    answers: tuple[Answer, ...] = Field(min_length=1)
    losses: ObjectLosses

    def answer(self, name: str) -> Answer:
        """The scores of one who answers.

        Raises
        ------
        KeyError
            If nobody of this name was scored.
        """
        return {answer.name: answer for answer in self.answers}[name]


class Cost(_Part):
    """Time for an alert [us] of one step, in calls of `batch` alerts of about `points` light-curve points each."""

    step: str
    batch: int
    points: int
    calls: int
    p50: float
    p99: float


class NoveltyTrial(_Part):
    """How well a class that a network never saw is told from those that it did.

    `auroc` is that of the novelty score over `objects` light curves of the class left out, against those of all others;
    `auroc_uncertainty` that of one less the largest probability, the simplest other way.
    """

    class_id: int
    objects: int
    auroc: float
    auroc_uncertainty: float


class Evaluation(_Part):
    """How good a bundle is. `weights` are the hashes of the files of the members that were scored.

    In a bundle `cost` is empty, and what it would be lies in a file of its own.
    """

    format_version: Literal[1] = 1
    bundle: str
    version: str
    weights: dict[str, Sha256]
    seed: int
    classes: tuple[int, ...]
    ages: tuple[float, ...]
    notes: tuple[str, ...]
    samples: tuple[Sample, ...]
    cost: tuple[Cost, ...] = ()
    novelty: tuple[NoveltyTrial, ...] = ()


_COSTS = TypeAdapter(tuple[Cost, ...])


class EvaluationError(BundleError):
    """An evaluation that isn't there or can't be read; says what was expected, what was found and what to do."""


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write an evaluation as JSON."""
    path.write_text(evaluation.model_dump_json() + "\n", encoding="utf-8")


def write_costs(path: Path, costs: tuple[Cost, ...]) -> None:
    """Write what alerts cost as JSON."""
    path.write_bytes(_COSTS.dump_json(costs, indent=1) + b"\n")


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation of a bundle with what its alerts cost, or one that was written elsewhere.

    Parameters
    ----------
    path : the bundle's directory, or the file.

    Raises
    ------
    EvaluationError
        If there is none, or it isn't one of this version.
    """
    if not path.is_dir():
        return _read(path)
    evaluation, cost = _read(path / EVALUATION), path / COST
    return evaluation.model_copy(update={"cost": _costs(cost)}) if cost.exists() else evaluation


def _read(path: Path) -> Evaluation:
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EvaluationError(
            f"{path} can't be read: {error.strerror}; `boreal-train evaluate {path.parent}` makes a bundle's evaluation"
        ) from None
    except ValidationError as error:
        raise EvaluationError(_explained(path, "a bundle's evaluation", error)) from None


def _costs(path: Path) -> tuple[Cost, ...]:
    try:
        return _COSTS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise EvaluationError(_explained(path, "what alerts cost", error)) from None


def _explained(path: Path, wanted: str, error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "the file"
    return (
        f"{path}: expected {wanted} as this version of Boreal writes it, found an error in {place}: {first['msg']}; "
        "make it again with `boreal-train evaluate`"
    )
