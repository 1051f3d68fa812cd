"""Fits the recurrent member."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.sequences import OBJECT_INPUTS, POINT_INPUTS, Sequences
from training.network import Network, Shape


@dataclass(frozen=True)
class RecurrentSettings:
    """How the network is fitted."""

    epochs: int = 12
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3


def fit_recurrent(
    inputs: Sequences,
    labels: NDArray[np.int64],
    *,
    n_classes: int,
    settings: RecurrentSettings,
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> Network:
    """Fit a network by cross-entropy with AdamW and a one-cycle learning rate, on a GPU where there is one.

    The result is the same for the same seed, kind of processor and torch version; another processor or version rounds
    differently. One thread is used: steps are so small that a second one mostly waits.

    Parameters
    ----------
    inputs : network inputs of n objects.
    labels : int64 array, shape (n,)
        Class index of each.
    tick : called after each batch, `n_batches` times in all.
    """
    # Without it, cuBLAS may pick an algorithm whose order of summation changes from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng(), one_thread():
        torch.manual_seed(seed)
        network = Network(Shape(len(POINT_INPUTS), len(OBJECT_INPUTS), n_classes)).to(device).train()
        optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        steps = n_batches(len(inputs), settings)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps + 1)
        rng = np.random.default_rng(seed)
        for _ in range(settings.epochs):
            for rows in batches(inputs.lengths, settings.batch, rng):
                _step(network, optimiser, inputs, labels, rows)
                schedule.step()
                tick()
    return network.cpu().eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread in here."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def n_batches(n: int, settings: RecurrentSettings) -> int:
    """How many batches `fit_recurrent` runs for n light curves."""
    return settings.epochs * -(-n // settings.batch)


def batches(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Every row once, in random batches of similar length, so that little of a batch is padding."""
    order = rng.permutation(len(lengths))
    pool = 32 * size
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        parts = [rows[k : k + size] for k in range(0, len(rows), size)]
        yield from (parts[k] for k in rng.permutation(len(parts)))


def _step(
    network: Network,
    optimiser: torch.optim.Optimizer,
    inputs: Sequences,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    device = next(network.parameters()).device
    block = inputs.block(rows, int(inputs.lengths[rows].max()), len(rows))
    logits, _ = network(*(torch.from_numpy(part).to(device) for part in block))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[rows]).to(device))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch types backward on the tensor only in part
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
