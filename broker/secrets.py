"""Passwords: never in a file that people share, never in a message; a place where they are found."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from broker._validation import GivenPath, Strict
from broker.errors import WrongInputError


def _refuse_text(given: object) -> object:
    """The text would be printed with the error, so it is told without it."""
    if isinstance(given, str):
        raise ValueError(  # noqa: TRY004  # pydantic takes ValueErrors
            "a password never stands in this file: write {env: NAME} or {file: PATH}, where it is found"
        )
    return given


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
        return secret

    def __str__(self) -> str:
        return f"the environment variable {self.env}" if self.env is not None else f"the file {self.file}"


Secret = Annotated[SecretPlace, BeforeValidator(_refuse_text)]


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it isn't text"
        raise WrongInputError(f"the password file {path} can't be read: {why}") from None
