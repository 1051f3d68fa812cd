"""The part of a configuration that asks for a shadow."""

from typing import Annotated

from pydantic import Field

from broker._validation import GivenPath, Strict


class ShadowSettings(Strict):
    """A second model bundle that classifies what the first one does, and delivers nothing.

    Parameters
    ----------
    bundle : directory of the model bundle.
    fraction : share of the alerts that it classifies; which ones follows from their ids alone.
    """

    bundle: GivenPath
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
