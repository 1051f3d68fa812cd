"""The shadow of a run: which bundle, on which share of the alerts."""

import logging
from dataclasses import dataclass
from pathlib import Path

from broker.shadow.settings import ShadowSettings
from classifiers.bundle import BundleError, bundle_sha256, check_bundle

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShadowModel:
    """A shadow whose bundle was checked.

    Parameters
    ----------
    path : the bundle's directory.
    sha256 : its hash.
    fraction : share of the alerts that it classifies.
    """

    path: Path
    sha256: str
    fraction: float = 1.0

    @classmethod
    def of(cls, settings: ShadowSettings | None, first_sha256: str) -> "ShadowModel | None":
        """The configured shadow; None without one, and where it is the bundle that the run uses already.

        So a shadow is promoted by `bundle` alone: there is nothing to compare from then on.

        Parameters
        ----------
        settings : what the configuration says of it.
        first_sha256 : hash of the bundle that the run uses.

        Raises
        ------
        BundleError
            If it can't be used.
        """
        if settings is None:
            return None
        try:
            sha256 = bundle_sha256(check_bundle(settings.bundle))
        except BundleError as error:
            raise BundleError(f"the bundle of the shadow can't be used: {error}") from None
        if sha256 == first_sha256:
            LOG.warning("the shadow's bundle %s is the one that the run uses: nothing runs beside it", settings.bundle)
            return None
        return cls(settings.bundle, sha256, settings.fraction)
