"""Which model draws which PLAsTiCC class."""

from training.simulate.active_galaxy import damped_walk
from training.simulate.core_collapse import hydrogen_rich, stripped
from training.simulate.eclipsing_binary import eclipsing_binary
from training.simulate.flare import flares
from training.simulate.kilonova import kilonova
from training.simulate.microlensing import microlensing
from training.simulate.pulsating import mira, rr_lyrae
from training.simulate.source import ClassModel
from training.simulate.superluminous import magnetar
from training.simulate.thermonuclear import bg91, iax, normal_ia
from training.simulate.tidal_disruption import tidal_disruption

MODELS: dict[int, ClassModel] = {
    6: microlensing,
    15: tidal_disruption,
    16: eclipsing_binary,
    42: hydrogen_rich,
    52: iax,
    53: mira,
    62: stripped,
    64: kilonova,
    65: flares,
    67: bg91,
    88: damped_walk,
    90: normal_ia,
    92: rr_lyrae,
    95: magnetar,
}
"""PLAsTiCC target -> model (Kessler et al. 2019, table 2)."""
