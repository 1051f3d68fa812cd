"""The torch network as an ONNX graph, node by node.

torch's own exporters write the source paths of the machine into the file; these dozen nodes hold the network alone.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from classifiers.members.recurrent import BLOCK_ROWS, INPUTS, OUTPUTS
from training.network import Network, Shape

OPSET = 17


def to_onnx(network: Network) -> bytes:
    """The network as the bytes of an ONNX file: blocks of `BLOCK_ROWS` objects and any number of steps."""
    graph = helper.make_graph(
        _nodes(network.shape.hidden), "recurrent", _inputs(network.shape), _outputs(network.shape), _weights(network)
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="boreal")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _nodes(hidden: int) -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        # torch applies the reset gate after the product with the hidden state; that is linear_before_reset.
        node("GRU", ["points", "W", "R", "B"], ["all"], hidden_size=hidden, linear_before_reset=1),
        node("Squeeze", ["all", "direction_axis"], ["states"]),
        node("Sub", ["mask", "one"], ["padding"]),
        node("Mul", ["padding", "four"], ["lowering"]),
        node("Add", ["states", "lowering"], ["lowered"]),
        node("ReduceMax", ["lowered"], ["highest"], axes=[0], keepdims=0),
        node("Mul", ["states", "last"], ["at_last"]),
        node("ReduceSum", ["at_last", "time_axis"], ["final"], keepdims=0),
        node("Concat", ["highest", "final", "objects"], ["pooled"], axis=1),
        node("Gemm", ["pooled", "latent_weight", "latent_bias"], ["latent"], transB=1),
        node("Relu", ["latent"], ["active"]),
        node("Gemm", ["active", "classes_weight", "classes_bias"], ["logits"], transB=1),
    ]


def _inputs(shape: Shape) -> list[onnx.ValueInfoProto]:
    sizes = (
        ["steps", BLOCK_ROWS, shape.n_point_inputs],
        ["steps", BLOCK_ROWS, 1],
        ["steps", BLOCK_ROWS, 1],
        [BLOCK_ROWS, shape.n_object_inputs],
    )
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in zip(INPUTS, sizes, strict=True)
    ]


def _outputs(shape: Shape) -> list[onnx.ValueInfoProto]:
    sizes = ([BLOCK_ROWS, shape.n_classes], [BLOCK_ROWS, shape.latent])
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in zip(OUTPUTS, sizes, strict=True)
    ]


def _weights(network: Network) -> list[onnx.TensorProto]:
    state = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    biases = [_gates(state[f"gru.bias_{side}_l0"]) for side in ("ih", "hh")]
    arrays = {
        "W": _gates(state["gru.weight_ih_l0"])[None],
        "R": _gates(state["gru.weight_hh_l0"])[None],
        "B": np.concatenate(biases)[None],
        "latent_weight": state["latent.weight"],
        "latent_bias": state["latent.bias"],
        "classes_weight": state["classes.weight"],
        "classes_bias": state["classes.bias"],
        "one": np.float32(1),
        "four": np.float32(4),
        "direction_axis": np.array([1]),
        "time_axis": np.array([0]),
    }
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def _gates(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """From torch's order of the gates (reset, update, new) to ONNX's (update, reset, new)."""
    reset, update, new = np.split(weights, 3)
    return np.concatenate([update, reset, new])
