"""What a bundle's manifest.json holds, typed."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from classifiers.taxonomy import BY_ID, ClassNode

FORMAT_VERSION = 2

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$")]
"""A plain file name inside the bundle, never a path."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassEntry(_Entry):
    """A class that the bundle tells apart: its DESC classId and name, and its PLAsTiCC target where it has one."""

    id: int
    name: str
    plasticc: int | None = None


class MemberEntry(_Entry):
    """A member of the ensemble: its kind, files and settings, and its weight in the geometric mean."""

    kind: str
    files: tuple[FileName, ...] = Field(min_length=1)
    settings: dict[str, Any]
    weight: float = Field(ge=0, allow_inf_nan=False)


Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ByHistory = tuple[Temperature, Temperature, Temperature]
Bias = Annotated[float, Field(allow_inf_nan=False)]


class CalibrationEntry(_Entry):
    """What is done to the members' mean; see `classifiers.calibration`.

    `days` are the edges between spans of days since the first detection. `temperatures` has for each span, without and
    with a host, one for each of `classifiers.calibration.HISTORIES`; `biases` has for each span one for each class.
    """

    days: tuple[float, ...]
    temperatures: tuple[tuple[ByHistory, ByHistory], ...]
    biases: tuple[tuple[Bias, ...], ...]

    @model_validator(mode="after")
    def _as_many_as_there_are_spans(self) -> "CalibrationEntry":
        if list(self.days) != sorted(set(self.days)):
            raise ValueError("days must rise")
        spans = len(self.days) + 1
        if len(self.temperatures) != spans or len(self.biases) != spans:
            raise ValueError(f"{len(self.days)} edges need {spans} spans of temperatures, and of biases")
        return self


class NoveltyEntry(_Entry):
    """Where the novelty score's parameters are, and the index of the member whose latent it reads."""

    file: FileName
    member: int = Field(ge=0)


class NeighboursEntry(_Entry):
    """Where the known objects are that an alert can be compared with; see `classifiers.neighbours`."""

    file: FileName


class SourceEntry(_Entry):
    """Where training light curves came from, how many objects, and the seed that picked or made them."""

    name: str
    objects: int = Field(ge=0)
    seed: int
    licence: str


class TrainingSetEntry(_Entry):
    """Exactly what the bundle was fitted on; `sha256` is the hash of those examples, light curves and labels."""

    description: str
    sources: tuple[SourceEntry, ...]
    objects_per_class: dict[str, int]
    light_curves_per_class: dict[str, int]
    sha256: Sha256


class ScoreEntry(_Entry):
    """Scores on light curves that the bundle wasn't fitted on.

    `sample` says which objects, `host` whether photo-z and extinction were given, `days` the span of days since the
    first detection (``all`` for every span together). `macro_f1`, `macro_auc` are means over the classes present.
    """

    sample: str
    host: Literal["with", "without"]
    days: str
    light_curves: int
    nll: float
    prior_nll: float
    accuracy: float
    macro_f1: float
    macro_auc: float | None
    ece: float


class Manifest(_Entry):
    """All that a bundle says about itself.

    `removed` are the kinds of the members that were taken out of the ensemble after it was fitted; where none was, it
    isn't written. A bundle without the member whose latent the novelty score read has no `novelty`.
    """

    format_version: Literal[2]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
    version: Annotated[str, StringConstraints(min_length=1)]
    classes: tuple[ClassEntry, ...] = Field(min_length=2)
    features: tuple[str, ...]
    members: tuple[MemberEntry, ...] = Field(min_length=1)
    calibration: CalibrationEntry
    novelty: NoveltyEntry | None = None
    neighbours: NeighboursEntry | None = Field(default=None, exclude_if=lambda entry: entry is None)
    removed: tuple[str, ...] = Field(default=(), exclude_if=lambda kinds: not kinds)
    training_set: TrainingSetEntry
    prior: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    scores: tuple[ScoreEntry, ...]
    code_version: str
    features_code_sha256: Sha256
    files: dict[FileName, Sha256]

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> "Manifest":
        _check_classes(self.classes)
        if len(self.prior) != len(self.classes):
            raise ValueError(f"prior has {len(self.prior)} numbers for {len(self.classes)} classes")
        if any(len(biases) != len(self.classes) for biases in self.calibration.biases):
            raise ValueError(f"calibration.biases needs {len(self.classes)} numbers a span, one a class")
        if len(set(self.features)) != len(self.features):
            raise ValueError("features names a column twice")
        if sum(member.weight for member in self.members) <= 0:
            raise ValueError("members have no weight in all")
        if self.novelty and self.novelty.member >= len(self.members):
            raise ValueError(f"novelty reads member {self.novelty.member} of {len(self.members)}")
        if present := sorted({member.kind for member in self.members} & set(self.removed)):
            raise ValueError(f"removed names {', '.join(present)}, and members has it too")
        if needed := self.needed_files - set(self.files):
            raise ValueError(f"files has no SHA-256 of {sorted(needed)}")
        return self

    @property
    def needed_files(self) -> frozenset[str]:
        """The files that its members, its novelty score and its known objects are read from."""
        others = [entry.file for entry in (self.novelty, self.neighbours) if entry]
        return frozenset([*others, *(file for member in self.members for file in member.files)])

    @property
    def lacks(self) -> str:
        """What it hasn't got, for people: ``without its member recurrent: no novelty``; empty where it is whole."""
        gone = f"without its member{'s' * (len(self.removed) > 1)} {' and '.join(self.removed)}" if self.removed else ""
        return ": ".join(part for part in (gone, "" if self.novelty else "no novelty") if part)

    @property
    def class_nodes(self) -> tuple[ClassNode, ...]:
        """The classes in the order of the probability columns."""
        return tuple(BY_ID[entry.id] for entry in self.classes)


def _check_classes(classes: tuple[ClassEntry, ...]) -> None:
    for entry in classes:
        node = BY_ID.get(entry.id)
        if node is None or (node.name, node.plasticc) != (entry.name, entry.plasticc):
            raise ValueError(f"class {entry.id} {entry.name!r} (PLAsTiCC {entry.plasticc}) isn't in this taxonomy")
    if len({entry.id for entry in classes}) != len(classes):
        raise ValueError("classes names a class twice")
