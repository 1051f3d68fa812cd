"""How every kernel of this package is compiled, and the array types that kernels see."""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from schemas.alerts import BANDS, LightCurves

N_BANDS = len(BANDS)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bands = NDArray[np.uint8]
Flags = NDArray[np.bool_]

kernel = njit(cache=True, error_model="numpy", nogil=True)
"""No `fastmath`, no `parallel`: both would let a row's last bit depend on its company. Division by 0 follows IEEE.
Kernels call kernels of their own file only: numba's cache on disk doesn't see a change in another."""


@intrinsic
def fma(_typing: Any, _x: Any, _y: Any, _z: Any) -> Any:
    """``x * y + z``, rounded once; in kernels only."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), emit


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous read-only view.

    Arrow hands over read-only arrays and numpy writable ones; numba would compile every kernel once for each.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def flat(curves: LightCurves) -> tuple[Ints, Floats, Floats, Floats, Bands, Flags]:
    """Arrays of a batch as kernels take them: offsets, mjd, flux, flux_err, band, detected."""
    return (
        frozen(curves.offsets),
        frozen(curves.mjd),
        frozen(curves.flux),
        frozen(curves.flux_err),
        frozen(curves.band),
        frozen(curves.detected),
    )
