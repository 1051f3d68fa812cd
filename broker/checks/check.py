"""What is a check? A name, a question about a configuration, and the verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from broker.checks.subject import Subject
from broker.config import Config


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Parameters
    ----------
    verdict : how it ended.
    found : what there is.
    remedy : what to do; empty where nothing is to be done.
    """

    verdict: Verdict
    found: str
    remedy: str = ""


def ok(found: str) -> Outcome:
    """All is well."""
    return Outcome(Verdict.OK, found)


def warning(found: str, remedy: str) -> Outcome:
    """A run starts, but somebody should look."""
    return Outcome(Verdict.WARNING, found, remedy)


def failed(found: str, remedy: str) -> Outcome:
    """A run would not start, or would not do all of its work."""
    return Outcome(Verdict.FAILED, found, remedy)


def not_checked(why: str) -> Outcome:
    """There is nothing to look at, for a reason that another check tells."""
    return Outcome(Verdict.NOT_CHECKED, why)


def refused(error: Exception) -> Outcome:
    """What an exception of Boreal's says: after its last semicolon stands what to do."""
    found, _, remedy = str(error).rpartition("; ")
    return failed(found, remedy) if found else failed(remedy, "")


def _always(_: Config) -> bool:
    return True


@dataclass(frozen=True)
class Check:
    """A question to ask before a night.

    Parameters
    ----------
    name : what is checked.
    look : finds the answer, and changes nothing; it may raise Boreal's exceptions instead of giving `failed`.
    needs : names of checks that must not have failed.
    applies : whether a configuration has what is checked.
    """

    name: str
    look: Callable[[Subject], Outcome]
    needs: tuple[str, ...] = ()
    applies: Callable[[Config], bool] = _always
