"""`boreal version`: what is installed."""

import typer

from broker.annotate import broker_version
from features.extract import code_hash

HELP = """Print the version, and the hash of the feature code.

Example: `boreal version`.
"""


def version() -> None:
    """Print the version, and the hash of the feature code that annotations carry."""
    typer.echo(f"boreal-broker {broker_version()}\nfeatures {code_hash()}")
