"""The command line: one file a command."""

import errno
import os
import sys

import typer

from broker.commands import (
    compact,
    deadletter,
    diff,
    doctor,
    explain,
    export,
    features,
    k8s,
    ledger,
    model,
    reconcile,
    replay_packets,
    reprocess,
    run,
    schema,
    shadow,
    version,
    visits,
    warm_up,
)
from broker.commands import filter as filters
from broker.commands import inspect as inspect_packet
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, complain
from broker.errors import RunFailedError, WrongInputError
from classifiers.bundle import BundleError

app = typer.Typer(
    name="boreal",
    help="Boreal: a broker for the LSST alert stream.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("run", help=run.HELP)(run.run)
app.command("reprocess", help=reprocess.HELP)(reprocess.reprocess)
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("ledger", help=ledger.HELP)(ledger.ledger)
app.command("compact", help=compact.HELP)(compact.compact)
app.command("diff", help=diff.HELP)(diff.diff)
app.command("reconcile", help=reconcile.HELP)(reconcile.reconcile)
app.command("visits", help=visits.HELP)(visits.visits)
app.command("replay-packets", help=replay_packets.HELP)(replay_packets.replay_packets)
app.command("inspect", help=inspect_packet.HELP)(inspect_packet.inspect)
app.command("explain", help=explain.HELP)(explain.explain)
app.command("warm-up", help=warm_up.HELP)(warm_up.warm_up)
app.command("version", help=version.HELP)(version.version)
app.add_typer(deadletter.app, name="deadletter")
app.add_typer(filters.app, name="filter")
app.add_typer(model.app, name="model")
app.add_typer(shadow.app, name="shadow")
app.add_typer(export.app, name="export")
app.add_typer(features.app, name="features")
app.add_typer(k8s.app, name="k8s")
app.add_typer(schema.app, name="schema")


def main() -> None:
    """Entry point of `boreal`: whatever goes wrong is told in a message, not in a traceback."""
    try:
        app()
    except (WrongInputError, BundleError) as error:
        complain(str(error))
        sys.exit(GAVE_SOMETHING_WRONG)
    except RunFailedError as error:
        complain(str(error))
        sys.exit(CHECK_FAILED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            complain(f"a disk is full ({error}); make room, and start again: what was in hand is run again")
            sys.exit(CHECK_FAILED)
        if os.environ.get("BOREAL_TRACEBACK"):
            raise
        complain(f"unexpected {type(error).__name__}: {error}\nset BOREAL_TRACEBACK=1 to see where")
        sys.exit(CHECK_FAILED)
