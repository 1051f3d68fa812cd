"""A bundle's evaluation on what its sources hold back."""

from collections.abc import Sequence

from classifiers.bundle import Bundle, BundleError
from classifiers.evaluation import Evaluation, NoveltyTrial, Sample
from classifiers.taxonomy import PLASTICC_TARGETS
from training.ensemble import Stages
from training.evaluation.asked import Host, ask
from training.evaluation.cuts import AGES, FOLLOWED, FOLLOWED_FOR
from training.evaluation.scored import losses, scored
from training.sources import Source

HOSTS: tuple[Host, ...] = ("with", "without")

NOTES = (
    "Ages: each object's light curve up to so many days after its first detection, with all visits before it.",
    "An object counts at an age only if its whole light curve lasts that long after its first detection.",
    "So objects without a detection don't count, and those of great ages are those that were found early.",
    "All ages: every light curve of every age; an object counts as often as it has ages.",
    "Detections: each object's light curve up to one of its alerts, drawn evenly among those with so many detections.",
    f"Stability from alert to alert: at most {FOLLOWED} objects of a sample, each at its first {FOLLOWED_FOR} alerts.",
    "Class 99 of the challenge has no objects here and no part in the weighted log-loss.",
    "Means over classes are over the classes that are present in the group.",
)


def evaluate(
    bundle: Bundle, sources: Sequence[Source], seed: int, stages: Stages, novelty: Sequence[NoveltyTrial] = ()
) -> Evaluation:
    """Score a bundle, and each of its members by itself, on the held-out objects of each source.

    The same bundle, objects and seed give the same evaluation.

    Parameters
    ----------
    seed : of the alerts that light curves are cut at, and of the objects that are followed.
    novelty : what leaving a class out has shown, to be told with the rest.

    Raises
    ------
    BundleError
        If it is of other classes than `PLASTICC_TARGETS`.
    """
    manifest = bundle.manifest
    if tuple(node.plasticc for node in bundle.classes) != PLASTICC_TARGETS:
        raise BundleError(
            f"{bundle.path}: expected PLAsTiCC's 14 classes in their order, found "
            f"{', '.join(node.name for node in bundle.classes)}; no held-out objects are known of other classes"
        )
    files = {name for member in manifest.members for name in member.files}
    return Evaluation(
        bundle=manifest.name,
        version=manifest.version,
        weights={name: manifest.files[name] for name in sorted(files)},
        seed=seed,
        classes=tuple(node.id for node in bundle.classes),
        ages=AGES,
        notes=NOTES,
        samples=tuple(_sample(bundle, source, host, seed, stages) for source in sources for host in HOSTS),
        novelty=tuple(novelty),
    )


def _sample(bundle: Bundle, source: Source, host: Host, seed: int, stages: Stages) -> Sample:
    asked = ask(bundle, source, host, seed, stages)
    return Sample(
        name=source.name,
        host=host,
        objects=len(source.test),
        examples_sha256=asked.answered.sha256,
        answers=tuple(scored(name, bundle.manifest, asked) for name in asked.answered.probabilities),
        losses=losses(source.test, bundle.manifest, asked),
    )
