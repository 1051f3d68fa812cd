"""The page of a comparison of a run's two bundles: complete in itself, in the look of a run's report."""

from collections import Counter
from pathlib import Path

from broker._atomic import write_text
from broker.compare.figures import migration_svg
from broker.report.page import templates
from broker.shadow.facts import facts
from broker.shadow.figures import nights_svg
from broker.shadow.report import Report
from classifiers.taxonomy import BY_ID

MOVES_LISTED, ALERTS_LISTED, NIGHTS_LISTED = 20, 30, 400


def write_page(path: Path, found: Report) -> None:
    """Write the page; the same comparison gives the same bytes.

    Parameters
    ----------
    path : of the file; a file that is there is replaced.
    found : the comparison.
    """
    write_text(path, render(found))


def render(found: Report) -> str:
    """The page as text; whatever comes from alerts is escaped."""
    told, moves = facts(found), Counter(found.agreement.moves)
    names = {class_id: BY_ID[class_id].name for move in moves for class_id in move}
    return (
        templates("report", "")
        .get_template("shadow/shadow.html.j2")
        .render(
            told=told,
            confusion=migration_svg(moves, names, "first bundle", "shadow") if moves else None,
            nights=nights_svg(told["nights"]) if told["alerts"] else None,
            moves=[move for move in told["moves"] if move["first"] != move["shadow"]][:MOVES_LISTED],
            alerts=told["mostDifferent"][:ALERTS_LISTED],
            nights_listed=NIGHTS_LISTED,
        )
    )
