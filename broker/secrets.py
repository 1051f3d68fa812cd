"""Passwords: never in a file that people share, never in a message; a place where they are found."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from broker._validation import GivenPath, Strict
from broker.errors import WrongInputError

_SECRET_OPTION = re.compile(r"password|secret|jaas|token$|[._]key$|key\.pem$|oauthbearer\.config$", re.IGNORECASE)
"""Names of settings of Kafka's clients and of object stores."""


_read_so_far: set[str] = set()

_SHORTEST = 4
"""A shorter secret would take words apart wherever it occurs."""


def without_values(text: str) -> str:
    """The text with asterisks in place of every secret that was read in this process.

    No message of Boreal's holds one; this is for what libraries may say.
    """
    for secret in sorted(_read_so_far, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text


def _refuse_value(given: object) -> object:
    """It would be printed with the error, so it is told without it."""
    if (
        given is None
        or isinstance(given, SecretPlace)
        or (isinstance(given, Mapping) and given.keys() <= {"env", "file"})
    ):
        return given
    raise ValueError("a password never stands in this file: write {env: NAME} or {file: PATH}, where it is found")


def without_secrets(options: dict[str, str], instead: str) -> dict[str, str]:
    """The options, if none of them is a password, a key or the like: options are shown.

    Raises
    ------
    ValueError
        With the names of those that are, and what to do.
    """
    found = sorted(name for name in options if _SECRET_OPTION.search(name))
    if found:
        raise ValueError(f"{', '.join(found)} would be shown with the other options; {instead}")
    return options


class SecretPlace(Strict):
    """Where a password is found.

    Parameters
    ----------
    env : the name of an environment variable.
    file : a file with nothing but the password in it.
    """

    env: Annotated[str, Field(min_length=1)] | None = None
    file: GivenPath | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("give one of `env` (a variable's name) and `file` (a path)")
        return self

    def read(self) -> str:
        """The password; a line break at its end is none of it.

        Raises
        ------
        WrongInputError
            If it isn't there or is empty.
        """
        found = os.environ.get(self.env, "") if self.env is not None else _read_file(Path(str(self.file)))
        secret = found.rstrip("\r\n")
        if not secret:
            raise WrongInputError(f"there is no password in {self}; set it, then start again")
        _read_so_far.add(secret)
        return secret

    def __str__(self) -> str:
        return f"the environment variable {self.env}" if self.env is not None else f"the file {self.file}"


Secret = Annotated[SecretPlace, BeforeValidator(_refuse_value)]


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it isn't text"
        raise WrongInputError(f"the password file {path} can't be read: {why}") from None
