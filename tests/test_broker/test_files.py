"""From files to packets: plain files, archives, damaged archives, files that can't be read."""

import gzip
import io
import os
import random
import tarfile

import pytest

from broker.sources import files
from broker.sources.enough import ENOUGH_BYTES, ENOUGH_PACKETS
from broker.sources.files import read_files


def archive(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read(directory, *names):
    chunks = list(read_files(directory, names))
    found = [
        pair
        for table, _ in chunks
        for pair in zip(table["origin"].to_pylist(), table["payload"].to_pylist(), strict=True)
    ]
    return found, [row for _, table in chunks for row in table.to_pylist()]


def test_a_file_is_a_packet_even_an_empty_one(tmp_path):
    (tmp_path / "a").write_bytes(b"packet")
    (tmp_path / "b").write_bytes(b"")
    assert read(tmp_path, "a", "b") == ([("a", b"packet"), ("b", b"")], [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_archive_is_taken_apart(tmp_path, pack):
    (tmp_path / "n.tar.gz").write_bytes(pack(archive([("d/one", b"1"), ("two", b"")])))
    assert read(tmp_path, "n.tar.gz") == ([("n.tar.gz!d/one", b"1"), ("n.tar.gz!two", b"")], [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("kept", [0.4, 0.7, 0.95])
def test_a_damaged_archive_yields_what_comes_before_the_break_and_one_reject(tmp_path, pack, kept):
    members = [(f"m{k}", random.Random(k).randbytes(3000)) for k in range(20)]
    whole = archive(members)[: 20 * 3584]
    packed = pack(whole)
    (tmp_path / "n.tar").write_bytes(packed[: int(len(packed) * kept)])
    found, failed = read(tmp_path, "n.tar")
    assert found == [(f"n.tar!{name}", content) for name, content in members[: len(found)]]
    assert 0 < len(found) < 20
    assert [(row["stage"], row["origin"]) for row in failed] == [("read", "n.tar")]
    assert f"a damaged tar archive: {len(found)} members could be read, then:" in failed[0]["reason"]


def test_an_archive_cut_between_two_members_is_damaged(tmp_path):
    (tmp_path / "n.tar").write_bytes(archive([("a", b"x" * 512), ("b", b"y" * 512)])[:2048])
    found, failed = read(tmp_path, "n.tar")
    assert len(found) == 2
    assert "2 members could be read, then: it ends without an end-of-archive mark" in failed[0]["reason"]


def test_a_broken_header_in_the_middle_is_no_end(tmp_path):
    whole = bytearray(archive([("a", b"x" * 512), ("b", b"y" * 512), ("c", b"z" * 512)]))
    whole[1024:1536] = b"?" * 512
    (tmp_path / "n.tar").write_bytes(whole)
    found, failed = read(tmp_path, "n.tar")
    assert [origin for origin, _ in found] == ["n.tar!a"]
    assert "a damaged tar archive: 1 members could be read, then: " in failed[0]["reason"]


def test_a_name_that_climbs_out_is_turned_away_with_its_bytes(tmp_path):
    (tmp_path / "n.tar").write_bytes(archive([("../a", b"x"), ("b", b"y")]))
    found, failed = read(tmp_path, "n.tar")
    assert found == [("n.tar!b", b"y")]
    assert (failed[0]["origin"], failed[0]["payload"]) == ("n.tar!../a", b"x")
    assert "its name climbs out of the archive" in failed[0]["reason"]


def test_a_wrong_checksum_is_damage_even_when_all_members_came_through(tmp_path):
    packed = bytearray(gzip.compress(archive([("a", b"x")])))
    packed[-6] ^= 1
    (tmp_path / "n.tar.gz").write_bytes(packed)
    found, failed = read(tmp_path, "n.tar.gz")
    assert (len(found), len(failed)) == (1, 1)


def test_a_file_that_is_gone_is_a_reject_that_says_so(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    found, failed = read(tmp_path, "gone", "a")
    assert found == [("a", b"x")]
    assert failed == [
        {"origin": "gone", "stage": "read", "reason": "can't be read: No such file or directory", "payload": b""}
    ]


def test_what_is_too_large_is_turned_away_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_PACKET", 10)
    (tmp_path / "a").write_bytes(b"x" * 11)
    (tmp_path / "n.tar").write_bytes(archive([("m", b"y" * 12)]))
    found, failed = read(tmp_path, "a", "n.tar")
    assert found == []
    assert [row["origin"] for row in failed] == ["a", "n.tar!m"]
    assert failed[0]["reason"] == "11 bytes; expected at most 10"


def test_packets_come_in_chunks_with_nothing_left_behind(tmp_path):
    members = [(f"m{k}", b"%d" % k) for k in range(ENOUGH_PACKETS * 2 + 3)]
    (tmp_path / "n.tar").write_bytes(archive(members))
    sizes = [table.num_rows for table, _ in read_files(tmp_path, ["n.tar"])]
    assert sizes == [ENOUGH_PACKETS, ENOUGH_PACKETS, 3]


def test_large_packets_come_in_chunks_of_fewer(tmp_path):
    for name in "abcd":
        (tmp_path / name).write_bytes(b"x" * (ENOUGH_BYTES // 3 + 1))
    assert [table.num_rows for table, _ in read_files(tmp_path, "abcd")] == [3, 1]


def test_a_packet_that_was_compressed_by_itself_is_unpacked_and_what_is_broken_stays(tmp_path, monkeypatch):
    content = gzip.compress(b"hello")
    (tmp_path / "a.gz").write_bytes(content)
    (tmp_path / "broken.gz").write_bytes(content[:-1])
    (tmp_path / "n.tar").write_bytes(archive([("b.gz", content)]))
    found = [("a.gz", b"hello"), ("broken.gz", content[:-1]), ("n.tar!b.gz", b"hello")]
    assert read(tmp_path, "a.gz", "broken.gz", "n.tar") == (found, [])
    monkeypatch.setattr(files, "LARGEST_PACKET", 100)
    bomb = gzip.compress(bytes(1000))
    (tmp_path / "bomb.gz").write_bytes(bomb)
    assert read(tmp_path, "bomb.gz") == ([("bomb.gz", bomb)], [])


def test_names_that_are_not_utf_8_are_told_as_text(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_bytes(b"packet")
    (tmp_path / "n.tar").write_bytes(archive([(name, b"1")]))
    found, failed = read(tmp_path, name, "n.tar", f"{name}-gone")
    assert found == [(r"caf\udce9", b"packet"), (r"n.tar!caf\udce9", b"1")]
    assert [row["origin"] for row in failed] == [r"caf\udce9-gone"]
