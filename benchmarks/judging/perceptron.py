"""Small fully connected networks over a table, a few of them averaged; unlike trees in what they get wrong."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import QuantileTransformer

from benchmarks.judging.tables import Table
from benchmarks.judging.trees import LEAST
from classifiers.taxonomy import PLASTICC_TARGETS
from training.fit_recurrent import one_thread


@dataclass(frozen=True)
class PerceptronSettings:
    """How the networks are fitted."""

    networks: int = 3
    width: int = 256
    epochs: int = 60
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.4
    noise: float = 0.1


def perceptrons(
    known: Table, asked: Table, seed: int, settings: PerceptronSettings | None = None
) -> NDArray[np.float64]:
    """Probabilities of other objects' classes, shape (n, n_classes)."""
    settings = settings or PerceptronSettings()
    scale = QuantileTransformer(output_distribution="normal", n_quantiles=500, random_state=seed).fit(known.matrix)
    inputs, others = (_scaled(scale, table.matrix) for table in (known, asked))
    labels = torch.from_numpy(known.labels)
    seeds = range(seed, seed + settings.networks)
    with one_thread(), torch.random.fork_rng():
        logs = torch.stack([_log_probabilities(inputs, labels, others, each, settings) for each in seeds])
    told = torch.softmax(logs.mean(dim=0), dim=1).double().numpy()
    return _on_this_side(told, known, asked)


def _scaled(scale: QuantileTransformer, matrix: NDArray[np.float32]) -> torch.Tensor:
    normal = np.clip(scale.transform(matrix), -3.0, 3.0)
    return torch.from_numpy(np.nan_to_num(normal, nan=0.0).astype(np.float32))


def _log_probabilities(
    inputs: torch.Tensor, labels: torch.Tensor, others: torch.Tensor, seed: int, settings: PerceptronSettings
) -> torch.Tensor:
    torch.manual_seed(seed)
    network = _network(inputs.shape[1], settings)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(inputs) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps + 1)
    network.train()
    for _ in range(settings.epochs):
        for rows in torch.split(torch.randperm(len(inputs)), settings.batch):
            noisy = inputs[rows] + settings.noise * torch.randn(len(rows), inputs.shape[1])
            loss = torch.nn.functional.cross_entropy(network(noisy), labels[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch types backward on the tensor only in part
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        return torch.log_softmax(network(others), dim=1)


def _network(columns: int, settings: PerceptronSettings) -> torch.nn.Sequential:
    def layer(width: int) -> list[torch.nn.Module]:
        return [
            torch.nn.Linear(width, settings.width),
            torch.nn.BatchNorm1d(settings.width),
            torch.nn.GELU(),
            torch.nn.Dropout(settings.dropout),
        ]

    last = torch.nn.Linear(settings.width, len(PLASTICC_TARGETS))
    return torch.nn.Sequential(*layer(columns), *layer(settings.width), last)


def _on_this_side(told: NDArray[np.float64], known: Table, asked: Table) -> NDArray[np.float64]:
    """Without the classes that lie on the other side of the Milky Way's edge."""
    allowed = np.zeros((2, told.shape[1]), np.bool_)
    for side in (0, 1):
        allowed[side, np.unique(known.labels[known.galactic == bool(side)])] = True
    told = np.where(allowed[asked.galactic.astype(np.int64)], told, LEAST)
    return np.asarray(told / told.sum(axis=1, keepdims=True))
