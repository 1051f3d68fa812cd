"""Log lines for programs: each an object, whatever is told, and never with a secret."""

import json
import logging
import sys
import threading
import warnings
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.books.ledger import Entry, Ledger
from broker.commands._exit import complain
from broker.commit import Batch
from broker.filters.watch import Change
from broker.findings import Finding
from broker.log_progress import LogProgress, letter
from broker.logs import FIELDS, is_json, line_of, set_up
from broker.secrets import SecretPlace, without_values
from broker.spark.java_log import JavaLog, relay
from schemas.packets import rejects


@pytest.fixture
def told(monkeypatch):
    """Set logging up for programs; give what was told so far."""
    root, names = logging.getLogger(), ("broker", "schemas", "boreal")
    kept, levels = (root.level, list(root.handlers)), [logging.getLogger(name).level for name in names]
    hooks = sys.excepthook, threading.excepthook
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("json")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    logging.getLogger("broker.kafka.librdkafka").propagate = True
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = kept[1]
    root.setLevel(kept[0])
    for name, level in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(level)


def test_text_is_left_as_it_is():
    before = list(logging.getLogger().handlers)
    set_up("text")
    assert logging.getLogger().handlers == before
    assert not is_json()


def test_a_line_has_time_level_logger_message_and_fields(told):
    logging.getLogger("broker.x").info("three of %d", 4, extra={FIELDS: {"night": 20261129}})
    (line,) = told()
    assert line.pop("time").startswith("20")
    assert line == {"level": "info", "logger": "broker.x", "message": "three of 4", "night": 20261129}


def test_what_other_libraries_say_only_counts_where_it_is_bad(told):
    logging.getLogger("py4j").info("chatter")
    logging.getLogger("py4j").warning("trouble")
    logging.getLogger("broker.kafka.librdkafka").error("Connection refused, for the thousandth time")
    assert [line["message"] for line in told()] == ["trouble"]


def test_exceptions_and_warnings_are_lines_too(told):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("broker").exception("it failed")
        sys.excepthook(*sys.exc_info())
    thread = threading.Thread(target=lambda: {}[1])
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("mind the gap", UserWarning, stacklevel=1)
    failed, uncaught, of_thread, warned = told()
    assert failed["trace"].startswith("Traceback")
    assert uncaught["message"] == "unexpected ZeroDivisionError: division by zero"
    assert of_thread["message"].startswith("unexpected KeyError")
    assert "mind the gap" in warned["message"]


def test_a_complaint_of_a_command_is_a_line(told):
    complain("there is no such topic; create it")
    (line,) = told()
    assert (line["level"], line["message"]) == ("error", "there is no such topic; create it")


def test_a_reader_that_is_gone_ends_nothing(told, monkeypatch):
    class Gone(StringIO):
        def write(self, _text):
            raise BrokenPipeError

    monkeypatch.setattr(logging.getLogger().handlers[0], "stream", Gone())
    logging.getLogger("broker").warning("nobody hears this")
    assert told() == []


def test_secrets_that_were_read_are_hidden_wherever_they_stand(told, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("NIGHT_PASSWORD", "hunter2-and-more")
    (tmp_path / "secret").write_text("hunter2\n")
    assert SecretPlace(env="NIGHT_PASSWORD").read() == "hunter2-and-more"
    assert SecretPlace(file=tmp_path / "secret").read() == "hunter2"
    fields = {"options": ["password=hunter2-and-more", {"hunter2": ("hunter2",)}]}
    logging.getLogger("broker").warning('jaas.config="hunter2-and-more"', extra={FIELDS: fields})
    (line,) = told()
    assert "hunter2" not in json.dumps(line)
    assert line["message"] == 'jaas.config="***"'
    assert line["options"] == ["password=***", {"***": ["***"]}]


def test_a_secret_of_few_letters_takes_no_word_apart(monkeypatch):
    monkeypatch.setenv("SHORT", "a")
    SecretPlace(env="SHORT").read()
    assert without_values("a day") == "a day"


@given(st.recursive(st.text() | st.integers() | st.floats() | st.none(), lambda x: st.lists(x) | st.tuples(x)))
def test_whatever_is_told_becomes_one_line(value):
    line = line_of({"message": value, "path": Path("x")})
    assert "\n" not in line
    assert line.isascii()
    json.loads(line)


def test_the_progress_of_a_run_is_told_with_its_dead_letters(told):
    refused = rejects(
        [
            ("alerts/0/7", "decode", "unknown framing: starts with bytes 68", b"hello"),
            ("alerts/0/8", "features", "features failed with ValueError: x (survey lsst, alert 42)", b"y"),
            ("alerts/0/9", "decode", "ztf 3.2 alert: ra is nan", b"z"),
        ]
    )
    entry = Entry(received=5, annotated=2, dead_lettered=3)
    progress = LogProgress()
    progress.start(Ledger())
    progress.batch(Batch(3, entry, 1.23456, refused))
    progress.filters(Change((), ("mine",), (), ("yours",), (Finding("x.yaml", "it is wrong", 3),)))
    progress.stop()
    progress.close(Ledger(entry))
    start, batch, *letters, new, gone, refused_filter, end = told()
    assert (start["received"], end["received"]) == (0, 5)
    assert (batch["batch"], batch["seconds"], batch["annotated"], batch["deadLettered"]) == (3, 1.235, 2, 3)
    assert [(each.get("survey"), each.get("alertId"), each["origin"], each["kind"]) for each in letters] == [
        (None, None, "alerts/0/7", "unknown framing"),
        ("lsst", 42, "alerts/0/8", "features failed"),
        ("ztf", None, "alerts/0/9", "wrong value"),
    ]
    assert {each["message"] for each in letters} == {"dead letter"}
    assert {each["level"] for each in letters} == {"warning"}
    assert (new["filter"], gone["filter"]) == ("mine", "yours")
    assert (refused_filter["file"], refused_filter["line"]) == ("x.yaml", 3)


@given(st.text(), st.text(), st.text())
def test_a_dead_letter_has_fields_whatever_its_reason(origin, stage, reason):
    assert {"origin", "stage", "kind", "reason"} <= letter(origin, stage, reason).keys()


def test_java_s_own_objects_keep_what_they_say_and_other_lines_are_wrapped(told):
    relay('{"time": "2026-11-29T01:02:03.004Z", "level": "WARN", "logger": "a.B", "message": "m", "error": "e"}')
    relay("WARNING: Using incubator modules: jdk.incubator.vector")
    relay("Exception in thread main")
    relay('{"no": "log line"}')
    relay("")
    java, plain, bad, other = told()
    assert java == {
        "time": "2026-11-29T01:02:03.004Z", "level": "warning", "logger": "a.B", "message": "m", "error": "e"
    }  # fmt: skip
    assert (plain["logger"], plain["level"], bad["level"]) == ("spark", "warning", "error")
    assert other["message"] == '{"no": "log line"}'


def test_what_a_process_prints_is_relayed_to_its_end(told):
    import subprocess

    output = JavaLog()
    process = subprocess.Popen(["/bin/sh", "-c", "echo one; echo two >&2"], **output.options)
    output.started()
    process.wait(30)
    for thread in threading.enumerate():
        if thread.name == "java-log":
            thread.join(30)
    assert [line["message"] for line in told()] == ["one", "two"]
