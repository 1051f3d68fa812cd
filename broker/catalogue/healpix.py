"""HEALPix cells of several orders: which lie in which, and which parts of the sky need smaller ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker._healpix import DEEPEST, Pixels


@dataclass(frozen=True, order=True)
class Cell:
    """A HEALPix cell.

    Parameters
    ----------
    order : cells of order k are 12 * 4**k; each halves the sides of the order before it.
    pixel : its nested number.
    """

    order: int
    pixel: int

    @property
    def span(self) -> tuple[int, int]:
        """The numbers of order `DEEPEST` that lie in it: the first, and the first behind them."""
        shift = 2 * (DEEPEST - self.order)
        return self.pixel << shift, (self.pixel + 1) << shift


def coarser(deepest: Pixels, order: int) -> Pixels:
    """The cells of an order that hold those of order `DEEPEST`."""
    return deepest >> (2 * (DEEPEST - order))


def cells_of(weights: NDArray[np.int64], most: int) -> list[Cell]:
    """The largest cells that weigh no more than `most`: the sky is divided further where there is more.

    A cell of the finest order stays whole, however much it weighs. Cells without weight are left out.

    Parameters
    ----------
    weights : of every cell of some order, which becomes the finest one, shape (12 * 4**order,).
    most : a cell's largest weight.

    Returns
    -------
    list of Cell
        Ascending by their place on the sky (`Cell.span`); none overlap.
    """
    finest = (len(weights) // 12).bit_length() // 2
    made, undecided = [], np.ones(12, dtype=np.bool_)
    for order in range(finest + 1):
        sums = weights.reshape(12 * 4**order, -1).sum(axis=1)
        whole = undecided & (sums > 0) & ((sums <= most) | (order == finest))
        made += [Cell(order, int(pixel)) for pixel in np.flatnonzero(whole)]
        undecided = np.repeat(undecided & ~whole & (sums > 0), 4)
    return sorted(made, key=lambda cell: cell.span)
