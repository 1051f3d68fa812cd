"""What is done of a fit is kept, and only what is done."""

import pytest

from training.parts import Parts


def writer(calls, text="done"):
    def make(folder):
        calls.append(folder)
        (folder / "file").write_text(text)

    return make


def test_a_part_is_made_once(tmp_path):
    calls = []
    parts = Parts(tmp_path / "parts")
    first = parts.keep("Trees, fold 1", ("a", 1), writer(calls))
    again = Parts(tmp_path / "parts").keep("Trees, fold 1", ("a", 1), writer(calls, "other"))
    assert first == again
    assert (again / "file").read_text() == "done"
    assert len(calls) == 1


def test_a_part_that_follows_from_something_else_is_another(tmp_path):
    calls = []
    parts = Parts(tmp_path)
    assert parts.keep("trees", ("a", 1), writer(calls)) != parts.keep("trees", ("a", 2), writer(calls))
    assert len(calls) == 2


def test_what_was_broken_off_is_no_part(tmp_path):
    def broken(folder):
        (folder / "file").write_text("half")
        raise KeyboardInterrupt

    parts = Parts(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        parts.keep("trees", ("a",), broken)
    assert not list(tmp_path.iterdir())
    assert (parts.keep("trees", ("a",), writer([])) / "file").read_text() == "done"


def test_parts_can_be_forgotten(tmp_path):
    parts = Parts(tmp_path / "parts")
    parts.keep("trees", (), writer([]))
    parts.remove()
    assert not (tmp_path / "parts").exists()
