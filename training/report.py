"""What a person reads of a bundle that was just fitted: its report and its model card."""

from pathlib import Path

from broker.model_report.figures import figures_of
from broker.model_report.page import write_report
from broker.model_report.told import told
from training.card import card_of
from training.ensemble import Stages

CARD_FILE = "model-card.md"


def write_report_and_card(bundle: Path, folder: Path, stages: Stages) -> None:
    """Write the page that `boreal model report` writes, and the card beside it.

    Parameters
    ----------
    bundle : a folder with an evaluation.
    folder : for both; it is made if it doesn't exist.
    """
    found = told(bundle)
    drawn = figures_of(found.evaluation)
    write_report(found, folder, drawn, tick=stages.begin("Report", sum(len(list(each)) for each in drawn.values())))
    (folder / CARD_FILE).write_text(card_of(bundle))
