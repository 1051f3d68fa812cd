"""The objects that a bundle is fitted on, as the recurrent member reads them, to compare alerts with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.member import Member, MemberInput
from classifiers.neighbours import Known
from features.family import FeatureInput
from training.columns import hide_host
from training.sources import SIMULATED, Source


def known_objects(found: Sequence[Source], member: Member) -> Known:
    """The whole light curve of each object that is fitted on, read without its host and with it.

    Parameters
    ----------
    found : where the objects come from.
    member : one that reads light curves and has a latent.
    """
    parts = [_known(source, member) for source in found]
    return Known(
        np.concatenate([part.latent for part in parts], axis=1),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.parents for part in parts]),
        np.concatenate([part.published for part in parts]),
        np.concatenate([part.origins for part in parts]),
    )


def _known(source: Source, member: Member) -> Known:
    objects = source.fit
    ids = np.asarray(objects.alerts.table["object_id"]).astype(np.str_)
    parents = np.abs(objects.parents).astype(np.str_)
    # A simulated object may have got its parent's number, by chance.
    published = (ids == parents) & (source.name != SIMULATED)
    latent = _latent(FeatureInput.from_alerts(objects.alerts), member)
    return Known(latent, objects.labels, ids, parents, published, np.full(len(objects), source.name))


def _latent(given: FeatureInput, member: Member) -> NDArray[np.float64]:
    found = []
    for each in (hide_host(given), given):
        latent = member.predict(MemberInput(np.zeros((len(given.curves), 0), np.float32), each)).latent
        if latent is None:
            raise ValueError("the member has no latent to compare alerts with known objects by")
        found.append(np.asarray(latent, np.float64))
    return np.stack(found)
