"""The recurrent network in torch; `training.export` writes it for serving."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """How large the network is."""

    n_point_inputs: int
    n_object_inputs: int
    n_classes: int
    hidden: int = 64
    latent: int = 32
    dropout: float = 0.2


class Network(nn.Module):
    """One GRU layer, pooled by its maximum over time and its last state, then a latent layer and the classes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.gru = nn.GRU(shape.n_point_inputs, shape.hidden)
        self.dropout = nn.Dropout(shape.dropout)
        self.latent = nn.Linear(2 * shape.hidden + shape.n_object_inputs, shape.latent)
        self.classes = nn.Linear(shape.latent, shape.n_classes)

    def forward(self, points: Tensor, mask: Tensor, last: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores and latents of a padded block.

        Parameters
        ----------
        points, mask, last, objects : as `classifiers.sequences.Sequences.block` returns them.

        Returns
        -------
        logits : shape (n_rows, n_classes)
        latent : shape (n_rows, latent)
        """
        states, _ = self.gru(points)
        # States lie between -1 and 1, so a padded step lowered by 4 is never the maximum.
        highest = (states + (mask - 1) * 4).amax(dim=0)
        final = (states * last).sum(dim=0)
        latent = self.latent(self.dropout(torch.cat([highest, final, objects], dim=1)))
        return self.classes(torch.relu(latent)), latent
