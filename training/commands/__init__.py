"""The modeller's command line, `boreal-train`: one file a command."""

from typing import Any

import typer
from typer.core import TyperGroup

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from classifiers.bundle import BundleError
from training.checked import TrainingTableError
from training.commands import evaluate, plasticc, realism, score, shipped
from training.simulate.__main__ import main as simulate


class _Group(TyperGroup):
    """Tells what was given wrongly in a message, not in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (TrainingTableError, BundleError) as error:
            stop(str(error), GAVE_SOMETHING_WRONG)


app = typer.Typer(
    name="boreal-train",
    help="Make and score the model bundles of Boreal.",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("plasticc", epilog=plasticc.EXAMPLE)(plasticc.plasticc)
app.command("shipped", epilog=shipped.EXAMPLE)(shipped.shipped)
app.command("evaluate", epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command("simulate", epilog="Example: boreal-train simulate --out plasticc-like --objects 20000")(simulate)
app.command("realism", epilog=realism.EXAMPLE)(realism.realism)
app.command("score", epilog=score.EXAMPLE)(score.score)
