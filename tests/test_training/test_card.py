"""The model card's figures come from the bundle, and nothing else of the card changes."""

import json
import shutil

import pytest

from classifiers.bundle import default_bundle_path
from classifiers.evaluation import ENSEMBLE, EVALUATION, NoveltyTrial, write_evaluation
from training.card import BEGIN, CARD, END, with_figures
from training.evaluation.bundle import evaluate
from training.sources import published_sources

pytestmark = pytest.mark.slow


class Silent:
    def begin(self, *_):
        return lambda *_: None


@pytest.fixture
def scored(bundle, tmp_path):
    """The shipped bundle with an evaluation on few objects in it."""
    path = shutil.copytree(default_bundle_path(), tmp_path / "scored")
    trial = NoveltyTrial(class_id=2232, objects=31, auroc=0.875, auroc_uncertainty=0.625)
    write_evaluation(path / EVALUATION, evaluate(bundle, published_sources(1)[:1], 1, Silent(), [trial]))
    return path


def test_the_card_tells_members_calibration_and_novelty(scored):
    text = CARD.read_text()
    card = with_figures(text, scored)
    told = json.loads((scored / EVALUATION).read_text())
    for sample in told["samples"]:
        for answer in sample["answers"]:
            figures = answer["all_ages"]["figures"]
            start = f"| {sample['host']} | {answer['name']} | {figures['objects']} | {figures['light_curves']} |"
            assert f"{start} {figures['nll']:.3f} | {figures['weighted']:.3f} |" in card
            for span in answer["spans"] if answer["name"] == ENSEMBLE else ():
                assert f"{span['figures']['ece']:.3f} ({span['figures']['light_curves']})" in card
    assert "| Kilonova | 31 | 0.875 | 0.625 |" in card
    assert card.partition(BEGIN)[0] == text.partition(BEGIN)[0]
    assert card.partition(END)[2] == text.partition(END)[2]
    assert with_figures(card, scored) == card


def test_a_card_without_markers_is_told():
    with pytest.raises(ValueError, match="put them where the figures belong"):
        with_figures("# Model card", default_bundle_path())
