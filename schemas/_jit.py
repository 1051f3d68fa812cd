"""How this package compiles its loops: once, kept on disk; no Python object, no exception, no lock in them."""

from typing import Any

from numba import njit

kernel: Any = njit(cache=True, error_model="numpy", nogil=True)
inlined: Any = njit(cache=True, error_model="numpy", nogil=True, inline="always")
"""As the kernels of `features` are compiled; an inlined one only where that was measured to be faster."""
