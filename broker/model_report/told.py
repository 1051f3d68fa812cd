"""A bundle with its evaluation, which has to be its own."""

from dataclasses import dataclass
from pathlib import Path

from classifiers.bundle import read_manifest
from classifiers.evaluation import Evaluation, EvaluationError, read_evaluation
from classifiers.manifest import Manifest


@dataclass(frozen=True)
class Told:
    """A bundle's manifest and its evaluation."""

    manifest: Manifest
    evaluation: Evaluation


def told(bundle: Path, evaluation: Path | None = None) -> Told:
    """Read both.

    Parameters
    ----------
    bundle : its directory.
    evaluation : a file that `boreal-train evaluate` wrote elsewhere; what lies in the bundle if left out.

    Raises
    ------
    BundleError
        If one of them isn't there or can't be read, or the evaluation is of other members.
    """
    manifest, found = read_manifest(bundle), read_evaluation(evaluation or bundle)
    names = {name for member in manifest.members for name in member.files}
    expected = {name: manifest.files[name] for name in names}
    other = sorted(name for name in {*expected, *found.weights} if expected.get(name) != found.weights.get(name))
    if other:
        raise EvaluationError(
            f"{evaluation or bundle}: expected an evaluation of this bundle's members, found one of others "
            f"({', '.join(other)} differ); make it again with `boreal-train evaluate {bundle}`"
        )
    return Told(manifest, found)
