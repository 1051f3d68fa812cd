"""A simulator of PLAsTiCC-like light curves of all 14 classes; what it models and lacks: docs/training.md."""

from training.simulate.draw import SimulationError
from training.simulate.run import simulate, simulate_tables

__all__ = ["SimulationError", "simulate", "simulate_tables"]
