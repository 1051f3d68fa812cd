import numpy as np
import pytest
import torch

from classifiers._rows import softmax
from classifiers.member import MemberInput
from classifiers.members.recurrent import BLOCK_ROWS, load
from classifiers.sequences import MAX_POINTS, OBJECT_INPUTS, POINT_INPUTS, Sequences, sequences
from features.family import FeatureInput
from schemas.alerts import LightCurves
from training.export import to_onnx
from training.fit_recurrent import RecurrentSettings, batches, fit_recurrent, n_batches
from training.light_curves import real_plasticc
from training.network import Network, Shape

N_CLASSES = 5
SETTINGS = {"file": "net.onnx", "point_inputs": POINT_INPUTS, "object_inputs": OBJECT_INPUTS, "n_classes": N_CLASSES}


def light_curves(lengths: list[int], seed: int) -> FeatureInput:
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    curves = LightCurves(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([np.sort(rng.uniform(0, 300, k)) for k in lengths]),
        rng.normal(0, 3000, n),
        rng.uniform(50, 500, n),
        rng.integers(0, 6, n).astype(np.uint8),
        rng.random(n) < 0.5,
    )
    unknown = np.full(len(lengths), np.nan)
    return FeatureInput(curves, rng.uniform(0, 1, len(lengths)), rng.uniform(0, 0.1, len(lengths)), unknown)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(3)
    made = Network(Shape(len(POINT_INPUTS), len(OBJECT_INPUTS), N_CLASSES)).eval()
    with torch.no_grad():
        for values in made.parameters():
            values.mul_(3)  # far from the linear part of its functions, where a wrong gate would hide
    return made


@pytest.mark.parametrize("n_steps", [1, 5, MAX_POINTS])
def test_onnxruntime_agrees_with_torch(network, tmp_path, n_steps):
    given = light_curves([1 + k % n_steps for k in range(BLOCK_ROWS)], 1)
    block = sequences(given).block(np.arange(BLOCK_ROWS), n_steps, BLOCK_ROWS)
    with torch.no_grad():
        expected = [part.numpy() for part in network(*map(torch.from_numpy, block))]
    (tmp_path / "net.onnx").write_bytes(to_onnx(network))
    session = load(tmp_path, SETTINGS).session
    found = session.run(["logits", "latent"], dict(zip(["points", "mask", "last", "objects"], block, strict=True)))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5, rtol=1e-5)


def test_the_member_answers_as_torch_without_any_padding(network, tmp_path):
    lengths = [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 60, 64]
    given = light_curves(lengths, 2)
    (tmp_path / "net.onnx").write_bytes(to_onnx(network))
    answer = load(tmp_path, SETTINGS).predict(MemberInput(np.zeros((len(lengths), 0), np.float32), given))
    made = sequences(given)
    for k, length in enumerate(lengths):
        block = made.block(np.array([k]), length, 1)
        with torch.no_grad():
            logits, latent = network(*map(torch.from_numpy, block))
        np.testing.assert_allclose(answer.latent[k], latent.numpy()[0], atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(answer.probabilities[k], softmax(logits.double().numpy())[0], atol=1e-5)


def test_the_member_answers_as_torch_of_every_real_light_curve(network, tmp_path):
    given = FeatureInput.from_alerts(real_plasticc()[0])
    (tmp_path / "net.onnx").write_bytes(to_onnx(network))
    answer = load(tmp_path, SETTINGS).predict(MemberInput(np.zeros((len(given.curves), 0), np.float32), given))
    made = sequences(given)
    rows = np.arange(len(made))
    with torch.no_grad():
        logits, latent = network(*map(torch.from_numpy, made.block(rows, MAX_POINTS, len(rows))))
    np.testing.assert_allclose(answer.latent, latent.numpy(), atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(answer.probabilities, softmax(logits.double().numpy()), atol=1e-5)


def test_padding_does_not_reach_the_answer(network):
    block = sequences(light_curves([4, 9], 3)).block(np.arange(2), 20, 2)
    spoiled = (np.where(block[1] > 0, block[0], 1e3).astype(np.float32), *block[1:])
    with torch.no_grad():
        clean, dirty = (network(*map(torch.from_numpy, part)) for part in (block, spoiled))
    np.testing.assert_array_equal(clean[0].numpy(), dirty[0].numpy())


def test_an_exported_file_names_no_machine_and_is_the_same_again(network):
    content = to_onnx(network)
    assert content == to_onnx(network)
    assert b".py" not in content
    assert b"/" not in content.split(b"recurrent")[0]


def toy(n: int) -> tuple[Sequences, np.ndarray]:
    """Light curves whose class is written in the flux of their points."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 20, n)
    labels = rng.integers(0, 3, n)
    given = light_curves(list(lengths), 4)
    made = sequences(given)
    made.points[:, 0] = np.repeat(labels - 1.0, lengths)
    return made, labels


def test_it_learns_what_can_be_learnt_and_again_the_same():
    inputs, labels = toy(300)
    settings = RecurrentSettings(epochs=12, batch=32)
    ticks = []
    nets = [
        fit_recurrent(inputs, labels, n_classes=3, settings=settings, seed=1, tick=lambda: ticks.append(1))
        for _ in range(2)
    ]
    assert len(ticks) == 2 * n_batches(300, settings)
    assert to_onnx(nets[0]) == to_onnx(nets[1])
    with torch.no_grad():
        logits, _ = nets[0](*map(torch.from_numpy, inputs.block(np.arange(300), 20, 300)))
    assert np.mean(logits.argmax(dim=1).numpy() == labels) > 0.95


def test_fitting_leaves_the_callers_random_numbers_alone():
    inputs, labels = toy(20)
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    fit_recurrent(inputs, labels, n_classes=3, settings=RecurrentSettings(epochs=1), seed=1)
    assert torch.equal(torch.rand(1), expected)


def test_batches_hold_every_row_once():
    lengths = np.random.default_rng(0).integers(1, 129, 1000)
    rows = list(batches(lengths, 16, np.random.default_rng(1)))
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(1000))
    assert max(len(part) for part in rows) == 16
    assert np.mean([np.ptp(lengths[part]) for part in rows]) < 8
