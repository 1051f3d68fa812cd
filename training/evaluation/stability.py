"""How an object's answer moves from one update to the next."""

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation import Stability
from training.evaluation.figures import known


def stability(probabilities: NDArray[np.float64], objects: NDArray[np.int64]) -> Stability:
    """Changes between successive rows of the same object.

    Parameters
    ----------
    probabilities : shape (n, n_classes), an object's rows after each other in the order of time.
    objects : int64 array, shape (n,)
    """
    best = probabilities.argmax(axis=1)
    same = objects[1:] == objects[:-1]
    changed = same & (best[1:] != best[:-1])
    distances = np.abs(np.diff(probabilities, axis=0)).sum(axis=1) / 2.0
    watched = changed[:-1] & same[1:]
    back = watched & (best[2:] == best[:-2])
    return Stability(
        objects=len(np.unique(objects)),
        updates=int(same.sum()),
        changed=_share(changed, same),
        distance=known(float(distances[same].mean())) if same.any() else None,
        watched=int(watched.sum()),
        back=_share(back, watched),
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return known(float(part.sum() / whole.sum())) if whole.any() else None
