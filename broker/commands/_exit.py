"""How a command ends: done, the check failed, or the caller gave something wrong."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from broker.logs import LOG, is_json

CHECK_FAILED = 1
GAVE_SOMETHING_WRONG = 2


def complain(message: str) -> None:
    """Say on standard error what went wrong."""
    if is_json():
        LOG.error(message)
        return
    Console(file=sys.stderr, highlight=False, soft_wrap=True).print(Text.assemble(("boreal: ", "bold red"), message))


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message on standard error."""
    complain(message)
    raise typer.Exit(code)
