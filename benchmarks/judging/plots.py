"""The confusion matrices as pictures."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.judging.judge import Confusion


def draw_all(confusions: Sequence[Confusion], folder: Path) -> None:
    """Draw each into a file of its own: ``confusion-NAME.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for confusion in confusions:
        draw(confusion, folder / f"confusion-{confusion.name}.svg")


def draw(confusion: Confusion, file: Path) -> None:
    """Shares of each true class, and numbers of objects; classes without an object have no row."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    present = np.flatnonzero(confusion.counts.sum(axis=1))
    counts = confusion.counts[present]
    shares = counts / counts.sum(axis=1, keepdims=True)
    across, down = len(confusion.classes), len(present)
    figure, axes = plt.subplots(figsize=(2.5 + 0.55 * across, 1.8 + 0.42 * down), layout="constrained")
    axes.imshow(shares, vmin=0.0, vmax=1.0, cmap="Blues", aspect="auto")
    for row, column in np.argwhere(counts > 0):
        dark = shares[row, column] > 0.5  # noqa: PLR2004  # half of the scale of colours
        text = f"{shares[row, column]:.2f}\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color="white" if dark else "black")
    axes.set_xticks(range(across), confusion.classes, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(down), [confusion.classes[row] for row in present], fontsize=8)
    axes.set_xlabel("likeliest class")
    axes.set_ylabel("true class")
    axes.set_title(f"{confusion.name}: {counts.sum():,} objects", fontsize=9)
    figure.savefig(file)
    plt.close(figure)
