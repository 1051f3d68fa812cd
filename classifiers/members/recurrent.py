"""A gated recurrent network over the light-curve points (Cho et al. 2014), served by onnxruntime without torch.

A matrix product rounds differently at another shape. So an object goes to the block shape that its own length alone
decides, blocks always have that whole shape (padded with zeros), and an object's answer never depends on its company.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import softmax
from classifiers.member import MemberInput, MemberKind, MemberOutput
from classifiers.sequences import MAX_POINTS, OBJECT_INPUTS, POINT_INPUTS, Sequences, sequences

BLOCK_STEPS = (8, 16, 32, MAX_POINTS)
BLOCK_ROWS = 32
INPUTS = ("points", "mask", "last", "objects")
OUTPUTS = ("logits", "latent")


@dataclass(frozen=True)
class Recurrent:
    """A network in an onnxruntime session of one thread."""

    session: Any
    n_classes: int
    n_latent: int

    def predict(self, given: MemberInput) -> MemberOutput:
        """Class probabilities and latents from the light curves."""
        outputs = np.zeros((len(given.given.curves), self.n_classes + self.n_latent))
        inputs = sequences(given.given)
        sizes = np.searchsorted(BLOCK_STEPS, inputs.lengths)
        for size, n_steps in enumerate(BLOCK_STEPS):
            rows = np.flatnonzero(sizes == size)
            for start in range(0, len(rows), BLOCK_ROWS):
                block = rows[start : start + BLOCK_ROWS]
                outputs[block] = self._run(inputs, block, n_steps)
        return MemberOutput(softmax(outputs[:, : self.n_classes]), outputs[:, self.n_classes :])

    def _run(self, inputs: Sequences, rows: NDArray[np.int64], n_steps: int) -> NDArray[np.float32]:
        block = inputs.block(rows, n_steps, BLOCK_ROWS)
        logits, latent = self.session.run(OUTPUTS, dict(zip(INPUTS, block, strict=True)))
        return np.concatenate([logits, latent], axis=1)[: len(rows)]


def load(directory: Path, settings: dict[str, Any]) -> Recurrent:
    """Open the network.

    Parameters
    ----------
    directory : the bundle.
    settings : ``file``, the ONNX file; ``point_inputs`` and ``object_inputs``, the names of what it reads;
        and the bundle's ``n_classes``.

    Raises
    ------
    ValueError
        If the file is no network of these inputs and classes, or reads inputs that this version doesn't make.
    """
    for name, made in (("point_inputs", POINT_INPUTS), ("object_inputs", OBJECT_INPUTS)):
        if list(settings[name]) != list(made):
            raise ValueError(f"the network was fitted on {name} {settings[name]}; this version makes {list(made)}")
    session = _session(directory / settings["file"])
    widths = {output.name: output.shape[-1] for output in session.get_outputs()}
    if {put.name for put in session.get_inputs()} != set(INPUTS) or set(widths) != set(OUTPUTS):
        raise ValueError(f"{settings['file']} doesn't map {INPUTS} to {OUTPUTS}")
    if widths["logits"] != settings["n_classes"]:
        raise ValueError(f"{settings['file']} has {widths['logits']} classes; the manifest has {settings['n_classes']}")
    return Recurrent(session, widths["logits"], widths["latent"])


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each kind of broken file
        raise ValueError(f"{path.name} is no network that onnxruntime can open: {error}") from error


CLASSIFIER = MemberKind("recurrent", load, has_latent=True)
