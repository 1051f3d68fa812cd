"""Every check of a configuration, side by side; none hides another."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from broker.checks import CHECKS, Check, Outcome, Verdict
from broker.checks.check import failed, not_checked, refused
from broker.checks.subject import Subject
from broker.config import Config
from broker.errors import RunFailedError, WrongInputError
from classifiers.bundle import BundleError

LIMIT_SECONDS = 60.0
"""All checks are done by then, or counted as failed."""


@dataclass(frozen=True)
class Result:
    """A check and its outcome."""

    check: str
    outcome: Outcome

    def to_json(self) -> dict[str, str]:
        """The result as plain data."""
        outcome = self.outcome
        return {"check": self.check, "verdict": outcome.verdict, "found": outcome.found, "remedy": outcome.remedy}


@dataclass(frozen=True)
class _Running:
    check: Check
    needed: Sequence["_Running"]
    future: "Future[Outcome]"

    @property
    def obstacle(self) -> str | None:
        """The name of a check that this one needs, and that gives nothing to go on from."""
        return next((each.check.name for each in self.needed if not _is_good(each.future)), None)


def examine(
    config: Config,
    checks: Sequence[Check] = CHECKS,
    limit_seconds: float = LIMIT_SECONDS,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Make every check that applies.

    Parameters
    ----------
    config : what is checked.
    checks : the checks, each after those that it needs.
    limit_seconds : after which a check that isn't done has failed.
    on_done : told how many checks are done, of how many.
    """
    subject = Subject(config)
    running: dict[str, _Running] = {}
    for check in checks:
        if check.applies(config):
            running[check.name] = _start(check, subject, [running[name] for name in check.needs if name in running])
    deadline, left = time.monotonic() + limit_seconds, {each.future for each in running.values()}
    while left and time.monotonic() < deadline:
        if on_done:
            on_done(len(running) - len(left), len(running))
        left = wait(left, timeout=min(0.2, limit_seconds)).not_done
    return [Result(name, _outcome(each, limit_seconds)) for name, each in running.items()]


def _start(check: Check, subject: Subject, needed: Sequence[_Running]) -> _Running:
    """A thread of its own, which the end of the process doesn't wait for: some libraries wait longer than asked to."""
    made = _Running(check, needed, Future())
    Thread(target=_run, args=(made, subject), name=check.name, daemon=True).start()
    return made


def _run(running: _Running, subject: Subject) -> None:
    wait([each.future for each in running.needed])
    obstacle = running.obstacle
    look = partial(not_checked, f"it needs: {obstacle}") if obstacle else partial(running.check.look, subject)
    running.future.set_result(_guarded(look))


def _guarded(look: Callable[[], Outcome]) -> Outcome:
    try:
        return look()
    except (WrongInputError, RunFailedError, BundleError) as error:
        return refused(error)
    except Exception as error:  # noqa: BLE001  # a fault in one check must not hide what the others found
        return failed(f"unexpected {type(error).__name__}: {error}", "report it, please; it is a fault in Boreal")


def _outcome(running: _Running, limit_seconds: float) -> Outcome:
    if running.future.done():
        return running.future.result()
    if running.obstacle:
        return not_checked(f"it needs: {running.obstacle}")
    return failed(f"no answer within {limit_seconds:g} s", "see what it waits for: the network, or a disk elsewhere")


def _is_good(future: "Future[Any]") -> bool:
    return future.done() and future.result().verdict in (Verdict.OK, Verdict.WARNING)
