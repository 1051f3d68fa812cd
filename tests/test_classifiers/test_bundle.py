import json
import shutil

import pytest

from classifiers.bundle import MANIFEST, Bundle, BundleError, bundle_sha256, default_bundle_path, file_sha256, save


@pytest.fixture
def copy(tmp_path):
    """A bundle of its own for each test to spoil."""
    return shutil.copytree(default_bundle_path(), tmp_path / "copy")


def edit(path, **changes):
    content = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps({**content, **changes}))


def content_of(path):
    return json.loads((path / MANIFEST).read_text())


def refused(path, *words):
    with pytest.raises(BundleError) as caught:
        Bundle.load(path)
    message = str(caught.value)
    assert "expected" in message
    assert "found" in message
    for word in words:
        assert word in message
    # What to do stands after the last semicolon.
    assert len(message.rpartition(";")[2].split()) >= 4


def test_a_copy_is_the_same_bundle(copy, bundle):
    assert Bundle.load(copy).sha256 == bundle.sha256
    assert Bundle.load(str(copy)).feature_names == bundle.feature_names


def test_no_directory(tmp_path):
    refused(tmp_path / "nowhere", "nowhere", "nothing")


def test_a_file_instead_of_a_directory(copy):
    refused(copy / MANIFEST, "a file")


def test_no_manifest(copy):
    (copy / MANIFEST).unlink()
    refused(copy, MANIFEST, "none")


@pytest.mark.parametrize("text", ["", "{", '{"format_version": 2,', "\x00\x01"])
def test_broken_json(copy, text):
    (copy / MANIFEST).write_text(text)
    refused(copy, "JSON")


def test_json_that_is_no_utf8(copy):
    (copy / MANIFEST).write_bytes(b'{"name": "\xff\xfe"}')
    refused(copy, "JSON")


@pytest.mark.parametrize("version", [0, 1, 3, None, "2"])
def test_another_format_version(copy, version):
    edit(copy, format_version=version)
    refused(copy, "format version 2", str(version))


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_json_that_is_no_manifest(copy, text):
    (copy / MANIFEST).write_text(text)
    refused(copy, "format version 2")


def test_a_missing_file(copy):
    name = next(iter(content_of(copy)["files"]))
    (copy / name).unlink()
    refused(copy, name, "none")


def test_every_changed_file_is_noticed(copy):
    for name in content_of(copy)["files"]:
        kept = (copy / name).read_bytes()
        (copy / name).write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        refused(copy, name, "SHA-256")
        (copy / name).write_bytes(kept)
    assert Bundle.load(copy)


def test_a_file_without_a_hash(copy):
    edit(copy, files={})
    refused(copy, "no SHA-256")


def test_an_unknown_kind_of_member(copy):
    members = content_of(copy)["members"]
    members[0]["kind"] = "oracle"
    edit(copy, members=members)
    refused(copy, "'oracle'", "oblivious or recurrent or trees")


def test_an_unknown_feature(copy):
    edit(copy, features=[*content_of(copy)["features"], "colour_of_the_operator"])
    refused(copy, "colour_of_the_operator")


def test_a_feature_less_than_the_trees_read(copy):
    edit(copy, features=content_of(copy)["features"][1:])
    refused(copy, "trees")


def test_a_member_without_its_settings(copy):
    members = content_of(copy)["members"]
    members[0]["settings"] = {}
    edit(copy, members=members)
    refused(copy, members[0]["kind"])


def calibration(days, spans, temperature=1, bias=0, classes=14):
    return {
        "days": days,
        "temperatures": [[[temperature] * 3] * 2] * spans,
        "biases": [[bias] * classes] * spans,
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"classes": [{"id": 2222, "name": "SN Ia", "plasticc": 42}]}, "classes"),
        ({"prior": [0.5]}, "prior"),
        ({"prior": None}, "prior"),
        ({"members": []}, "members"),
        ({"name": "../elsewhere"}, "name"),
        ({"surprise": 1}, "surprise"),
        ({"calibration": calibration([2, 1], spans=3)}, "days must rise"),
        ({"calibration": calibration([1, 2], spans=1)}, "2 edges need 3 spans"),
        ({"calibration": calibration([], spans=1, temperature=0)}, "temperatures"),
        ({"calibration": calibration([], spans=1, bias=float("nan"))}, "biases"),
        ({"calibration": calibration([], spans=1, classes=13)}, "calibration.biases needs 14 numbers a span"),
        ({"novelty": {"file": "novelty.npz", "member": 9}}, "member 9"),
        ({"novelty": {"file": "../novelty.npz", "member": 1}}, "novelty.file"),
    ],
)
def test_a_manifest_that_breaks_a_rule(copy, changes, word):
    edit(copy, **changes)
    refused(copy, word)


def test_members_without_weight(copy):
    members = [{**member, "weight": 0} for member in content_of(copy)["members"]]
    edit(copy, members=members)
    refused(copy, "no weight")


def test_a_class_twice(copy):
    content = content_of(copy)
    edit(copy, classes=content["classes"][:-1] + content["classes"][:1])
    refused(copy, "twice")


@pytest.mark.parametrize("spoiled", [b"", b"no parameters", b"PK\x03\x04 no archive"])
def test_novelty_parameters_of_something_else(copy, spoiled):
    content = content_of(copy)
    name = content["novelty"]["file"]
    (copy / name).write_bytes(spoiled)
    edit(copy, files={**content["files"], name: file_sha256(copy / name)})
    refused(copy, name)


def test_the_hash_covers_manifest_and_files_but_not_their_layout(copy, bundle):
    content = content_of(copy)
    (copy / MANIFEST).write_text(json.dumps(content, indent=7, sort_keys=True))
    assert Bundle.load(copy).sha256 == bundle.sha256
    edit(copy, version="9.9.9")
    assert Bundle.load(copy).sha256 != bundle.sha256
    assert bundle_sha256(bundle.manifest) == bundle.sha256


def test_saving_writes_what_loading_takes(copy, bundle):
    content = content_of(copy)
    names = tuple(content.pop("files"))
    del content["format_version"]
    (copy / MANIFEST).unlink()
    save(copy, content, names)
    assert Bundle.load(copy).sha256 == bundle.sha256


def test_saving_refuses_what_loading_would(copy):
    with pytest.raises(BundleError, match="found errors"):
        save(copy, {"name": "x"}, ())
    with pytest.raises(BundleError, match="write the weights"):
        save(copy, {"name": "x"}, ("weights.bin",))
