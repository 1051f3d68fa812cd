"""Mutated packets through the pure function, in short; and that what goes wrong there is told."""

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fuzzing():
    """The benchmark's modules: they are no part of the installed packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks.fuzzing import mix, tally, templates, watch, worker

        yield {"mix": mix, "tally": tally, "templates": templates, "watch": watch, "worker": worker}


@pytest.fixture(scope="module")
def plan(fuzzing, data_dir):
    return fuzzing["worker"].Plan(data_dir / "packets", seed=7)


@pytest.fixture(scope="module")
def worker(fuzzing, plan):
    return fuzzing["worker"].Worker(plan)


def fuzz(*options, cwd):
    done = subprocess.run(
        [ROOT / "benchmarks" / "fuzz", *options], cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_two_thousand_packets_break_nothing(tmp_path):
    code, lines, errors = fuzz("--packets", "2000", "--processes", "1", cwd=tmp_path)
    assert (code, lines[-1]) == (0, "failures 0"), "\n".join(lines) + errors
    figures = {name: int(number) for name, _, number in (line.rpartition(" ") for line in lines) if number.isdigit()}
    assert figures["packets"] == 2048
    assert figures["annotated"] > 0.2 * figures["alerts"]
    assert figures["rejected by decode"] > 0.2 * figures["alerts"]


def test_a_batch_that_takes_too_long_fails_and_is_named(tmp_path):
    options = ("--packets", "64", "--processes", "1", "--seed", "5", "--limit", "0.001")
    code, lines, _ = fuzz(*options, cwd=tmp_path)
    assert (code, lines[-1]) == (1, "failures 1")
    assert lines[0] == "FAILED took longer than 0.001 s; again: benchmarks/fuzz --seed 5 --batch 0"


def test_a_batch_is_made_again_from_its_seed_and_number(worker, fuzzing, plan):
    again = fuzzing["templates"].load_templates(plan.directory)
    assert fuzzing["mix"].make_batch(again, 7, 3) == worker.batch(3)
    assert fuzzing["mix"].make_batch(again, 8, 3) != worker.batch(3)
    assert worker.batch(4) != worker.batch(3)


def without_a_row(outcome):
    return replace(outcome, annotations=outcome.annotations.slice(1))


def counted_wrong(outcome):
    return replace(outcome, received=outcome.received + 1)


def with_another(name, change):
    """Replaces a column of the annotations."""

    def changed(outcome):
        table = outcome.annotations
        at = table.schema.get_field_index(name)
        values = change(table[name].to_pylist())
        field = table.schema.field(at)
        return replace(outcome, annotations=table.set_column(at, field, pa.array(values, field.type)))

    return changed


def doubtful(classifications):
    return [[{**entry, "probability": entry["probability"] * 0.99} for entry in row] for row in classifications]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (without_a_row, "nothing became of ['"),
        (counted_wrong, "but annotated"),
        (with_another("ra", lambda values: [float("nan"), *values[1:]]), "ra isn't finite"),
        (with_another("notClassifiedReason", lambda values: [None] * len(values)), "notClassifiedReason doesn't fit"),
        (with_another("classifications", doubtful), "the probabilities don't sum to 1"),
        (with_another("matchedFilters", lambda values: [["nobody's"]] * len(values)), "filters that nobody has"),
        (lambda outcome: replace(outcome, filter_errors=Counter(kilonovae=3)), "kilonovae could not be evaluated"),
    ],
)
def test_a_broken_promise_is_told(worker, fuzzing, monkeypatch, fault, told):
    whole = worker.run(0)
    assert whole.failures == ()
    working = fuzzing["worker"].process
    monkeypatch.setattr(fuzzing["worker"], "process", lambda *given: fault(working(*given)))
    assert any(told in failure for failure in worker.run(0).failures)


def test_what_escapes_the_pure_function_is_told(worker, fuzzing, monkeypatch):
    def breaks(*_given):
        raise ZeroDivisionError("no answer")

    monkeypatch.setattr(fuzzing["worker"], "process", breaks)
    assert worker.run(0).failures == ("ZeroDivisionError escaped: no answer",)


def test_an_alert_that_a_later_stage_rejects_is_told(worker, monkeypatch):
    def breaks(*_given):
        raise ZeroDivisionError("no answer")

    monkeypatch.setattr("broker.pipeline.extract", breaks)
    failures = worker.run(0).failures
    assert len(failures) > 10
    assert "features failed with ZeroDivisionError: no answer" in failures[0]


def tell_and(do, done):
    """Starts processes that die, or hang, in batch 2, and say that all is well with the others."""

    def serve(connection, numbers):
        connection.send(None)
        for number in numbers:
            connection.send(number)
            if number == 2:
                do()
            connection.send(done(number, 64))

    def start(connection, numbers):
        process = get_context("fork").Process(target=serve, args=(connection, numbers))
        process.start()
        connection.close()
        return process

    return start


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "the process died with exit code -9"),
        (lambda: os._exit(3), "the process died with exit code 3"),
        (lambda: time.sleep(600), "took longer than 1 s"),
    ],
)
def test_a_process_that_dies_or_hangs_fails_its_batch_and_the_others_go_on(fuzzing, do, told):
    watch, done = fuzzing["watch"], fuzzing["worker"].Done
    heard = [told for _, told in watch.watch(tell_and(do, done), range(5), 1, limit=1.0)]
    assert [one for one in heard if isinstance(one, watch.Failure)] == [watch.Failure(2, told)]
    assert [one.number for one in heard if isinstance(one, done)] == [0, 1, 3, 4]


def test_a_process_that_can_t_start_ends_the_run(fuzzing):
    def start(connection, _numbers):
        process = get_context("fork").Process(target=lambda: os._exit(3))
        process.start()
        connection.close()
        return process

    with pytest.raises(RuntimeError, match="batch 0 wasn't begun: the process died with exit code 3"):
        list(fuzzing["watch"].watch(start, range(5), 1, limit=1.0))


def test_a_run_may_be_stopped_by_the_clock(tmp_path):
    code, lines, _ = fuzz("--packets", "1000000", "--processes", "1", "--seconds", "15", cwd=tmp_path)
    assert (code, lines[-1]) == (0, "failures 0")


def test_a_process_that_grows_fails(fuzzing):
    tally, done = fuzzing["tally"].Tally(), fuzzing["worker"].Done
    for number in range(300):
        tally.add(0, done(number, 64, memory=2**30))
        tally.add(1, done(number, 64, memory=2**30 + number * 2**20))
    tally.close()
    assert [failure.what for failure in tally.failures] == ["process 1 grew by 180 MiB"]
    assert np.isclose(tally.growth()[0], 0)
