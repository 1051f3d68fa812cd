"""Archives that are damaged or made to do harm: told with how far they got, and read as far as that."""

import gzip
import io
import os
import random
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.archives import tar
from broker.archives.found import Rules

MEMBERS = [(f"alert-{k}.avro", random.Random(k).randbytes(3000)) for k in range(20)]
EACH = 512 + 3072


@pytest.fixture(autouse=True)
def several_portions(small_portions):
    small_portions(6)


def check(found, n, *words):
    """The first so many members, one reject that says why there are no more, and the same in the listing."""
    assert found.packets == [(f"{found.given.label}!{name}", content) for name, content in MEMBERS[:n]]
    (reject,) = found.rejects
    assert (reject["origin"], reject["stage"], reject["payload"]) == (found.given.label, "read", b"")
    assert f"a damaged tar archive: {n} members could be read, then:" in reject["reason"]
    assert all(word in reject["reason"] for word in words), reject["reason"]
    (fault,) = found.listed.faults
    assert (fault["file"], fault["reason"], fault["packets"]) == (found.given.label, reject["reason"], n)
    assert fault["unpackedBytes"] >= n * EACH - 512
    assert found.listed.packets == n


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kept", [0.06, 0.4, 0.7, 0.95])
def test_cut_off_it_yields_every_member_before_the_cut(tmp_path, opened, packed, compress, kept):
    whole = packed(MEMBERS)[: 20 * EACH]
    content = gzip.compress(whole, 1) if compress else whole
    (tmp_path / "n.tar").write_bytes(content[: int(len(content) * kept)])
    found = opened(tmp_path / "n.tar")
    n = len(found.packets)
    assert n == int(20 * kept) or compress
    assert 20 * kept - 1.5 < n <= 20 * kept
    check(found, n)


def test_cut_between_two_members_it_lacks_its_end_mark(tmp_path, opened, packed):
    (tmp_path / "n.tar").write_bytes(packed(MEMBERS)[: 7 * EACH])
    check(opened(tmp_path / "n.tar"), 7, "it ends without an end-of-archive mark")


def test_a_wrong_checksum_is_told_though_every_member_came_through(tmp_path, opened, packed):
    content = bytearray(packed(MEMBERS, compress=True))
    content[-6] ^= 1
    (tmp_path / "n.tar.gz").write_bytes(content)
    check(opened(tmp_path / "n.tar.gz"), 20, "CRC check failed")


def test_a_broken_header_in_the_middle_is_no_end(tmp_path, opened, packed):
    content = bytearray(packed(MEMBERS))
    content[12 * EACH + 10 : 12 * EACH + 200] = os.urandom(190)
    (tmp_path / "n.tar").write_bytes(content)
    check(opened(tmp_path / "n.tar"), 12, f"at byte {12 * EACH:,}")


def test_broken_compressed_bytes_end_it_where_they_are(tmp_path, opened, packed):
    content = bytearray(packed(MEMBERS, compress=True))
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    (tmp_path / "n.tar.gz").write_bytes(content)
    found = opened(tmp_path / "n.tar.gz")
    (fault,) = found.listed.faults
    assert 6 <= fault["packets"] < 20
    assert len(found.packets) == fault["packets"]
    assert found.packets[:8] == [(f"n.tar.gz!{name}", content) for name, content in MEMBERS[:8]]


def test_the_hash_is_that_of_all_bytes_however_far_it_could_be_read(tmp_path, opened, packed):
    from hashlib import sha256

    for name, content in {
        "whole.tar": packed(MEMBERS), "cut.tar": packed(MEMBERS)[:9000],
        "whole.tar.gz": packed(MEMBERS, compress=True), "broken.tar.gz": packed(MEMBERS, compress=True)[:9000] + b"x",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert opened(tmp_path / name).listed.sha256 == sha256(content).hexdigest()


def test_what_unpacks_without_end_is_stopped(tmp_path, opened, packed, monkeypatch):
    monkeypatch.setattr(tar, "ALWAYS_ALLOWED", 2 * 2**20)
    bomb = gzip.compress(packed(MEMBERS)[: 20 * EACH] + packed([("zeros", bytes(64 * 2**20))]))
    (tmp_path / "bomb.tar.gz").write_bytes(bomb)
    found = opened(tmp_path / "bomb.tar.gz")
    check(found, 20, "it unpacks to more than ")
    assert found.listed.faults[0]["unpackedBytes"] < 16 * 2**20


def test_the_configured_limit_holds_too(tmp_path, opened, packed):
    (tmp_path / "n.tar.gz").write_bytes(packed(MEMBERS, compress=True))
    found = opened(tmp_path / "n.tar.gz", Rules(most_unpacked=2 * EACH))
    assert "it unpacks to more than 7,168 bytes" in found.rejects[0]["reason"]


def header_bomb(kind):
    """An archive whose third header says that its name has 200 MB."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in MEMBERS[:2]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    info = tarfile.TarInfo("long")
    info.size, info.type = 200_000_000, kind
    return buffer.getvalue()[: 2 * EACH] + info.tobuf(tarfile.GNU_FORMAT) + bytes(200_000_000)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_as_large_as_the_memory_isn_t_read(tmp_path, opened, kind):
    (tmp_path / "n.tar.gz").write_bytes(gzip.compress(header_bomb(kind), 1))
    check(opened(tmp_path / "n.tar.gz"), 2, "a name or header of 200,000,000 bytes; expected at most 1,048,576")


@pytest.mark.parametrize("compress", [False, True])
def test_names_that_climb_out_are_turned_away_with_their_bytes(tmp_path, opened, packed, compress):
    bad = ["../up.avro", "/etc/passwd", "a/../../up.avro", ".."]
    members = [MEMBERS[0], *((name, name.encode()) for name in bad), MEMBERS[1], ("fine..avro", b"fine")]
    (tmp_path / "n.tar").write_bytes(packed(members, compress))
    found = opened(tmp_path / "n.tar")
    assert [origin for origin, _ in found.packets] == ["n.tar!alert-0.avro", "n.tar!alert-1.avro", "n.tar!fine..avro"]
    assert {row["origin"]: row["payload"] for row in found.rejects} == {f"n.tar!{name}": name.encode() for name in bad}
    assert all("climbs out of the archive" in row["reason"] for row in found.rejects)
    assert (found.listed.unsafe, found.listed.faults) == (4, [])
    assert not list(tmp_path.parent.glob("up.avro"))


def test_links_devices_and_folders_are_passed_over_and_counted(tmp_path, opened, packed):
    parts = [
        packed([("a", b"")], kind=tarfile.DIRTYPE), packed([("b", b"")], kind=tarfile.SYMTYPE),
        packed([("c", b"")], kind=tarfile.LNKTYPE), packed([("d", b"")], kind=tarfile.CHRTYPE),
        packed([("e", b"")], kind=tarfile.FIFOTYPE),
    ]  # fmt: skip
    body = packed(MEMBERS[:2])[: 2 * EACH]
    (tmp_path / "n.tar").write_bytes(b"".join(part[:512] for part in parts) + body + bytes(1024))
    found = opened(tmp_path / "n.tar")
    assert found.packets == [(f"n.tar!{name}", content) for name, content in MEMBERS[:2]]
    assert found.listed.skipped == {"directories": 1, "links": 2, "other than files": 2}
    assert found.rejects == found.listed.faults == []


def test_a_member_that_is_too_large_is_turned_away_unread_and_its_neighbours_come(
    tmp_path, opened, packed, monkeypatch
):
    monkeypatch.setattr(tar, "LARGEST_PACKET", 5000)
    (tmp_path / "n.tar").write_bytes(packed([*MEMBERS[:2], ("large", bytes(5001)), MEMBERS[2]]))
    found = opened(tmp_path / "n.tar")
    assert [content for _, content in found.packets] == [content for _, content in MEMBERS[:3]]
    assert [(row["origin"], row["reason"]) for row in found.rejects] == [
        ("n.tar!large", "5,001 bytes; expected at most 5,000")
    ]


def test_what_is_no_archive_at_all_is_a_packet_that_the_decoder_turns_away(tmp_path, opened):
    (tmp_path / "n.tar.gz").write_bytes(b"not a tar archive")
    assert opened(tmp_path / "n.tar.gz").packets == [("n.tar.gz", b"not a tar archive")]


def test_what_is_gone_or_empty_is_told(tmp_path, opened):
    gone = opened(tmp_path / "gone")
    assert [row["reason"] for row in gone.rejects] == ["can't be read: No such file or directory"]
    (tmp_path / "empty").mkdir()
    assert (opened(tmp_path / "empty").listed.portions, opened(tmp_path / "empty").listed.packets) == (0, 0)


def damaged(content, draw):
    """Bytes with one thing wrong with them: a bit, a run, a cut, zeros, something put in, a part that comes twice."""
    at = draw.randrange(len(content))
    ways = [
        lambda: content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :],
        lambda: content[:at] + draw.randbytes(300) + content[at + draw.randrange(600) :],
        lambda: content[:at],
        lambda: content[:at] + bytes(512) + content[at + 512 :],
        lambda: content[:at] + draw.randbytes(draw.randrange(1, 600)) + content[at:],
        lambda: content[:at] + content,
    ]
    return draw.choice(ways)()


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "container", "table"])
def test_whatever_is_wrong_what_is_listed_can_be_read_and_nothing_stops_the_run(
    tmp_path, opened, packed, make_packet, kind
):
    draw = random.Random(kind)
    if kind == "container":
        name = "elasticc.v0_9.alert"
        whole = make_packet.container(
            name, *(make_packet.record(name, alertId=k) for k in range(60)), sync_interval=500
        )
    elif kind == "table":
        out = io.BytesIO()
        pq.write_table(pa.table({"payload": [content for _, content in MEMBERS]}), out, row_group_size=5)
        whole = out.getvalue()
    else:
        whole = packed(MEMBERS, compress=kind == "tar.gz")
    faults = 0
    for _ in range(100):
        (tmp_path / "archive").write_bytes(damaged(whole, draw))
        found = opened(tmp_path / "archive")
        items = len(found.packets) + len(found.rejects)
        faults += len(found.listed.faults)
        assert items == sum(portion.packets for portion in found.portions) or kind == "container"
    assert faults > 8


def test_a_broken_page_takes_the_rows_of_its_row_group_from_there_on(tmp_path, opened):
    contents = [content for _, content in MEMBERS]
    pq.write_table(pa.table({"payload": contents}), tmp_path / "t.parquet", row_group_size=5, compression="none")
    broken = bytearray((tmp_path / "t.parquet").read_bytes())
    page = pq.read_metadata(tmp_path / "t.parquet").row_group(1).column(0).data_page_offset
    broken[page : page + 40] = b"\xff" * 40
    (tmp_path / "t.parquet").write_bytes(broken)
    found = opened(tmp_path / "t.parquet")
    assert [content for _, content in found.packets] == contents[:5] + contents[10:]
    assert [origin for origin, _ in found.packets][5] == "t.parquet#10"
    assert "a damaged table: rows 5 to 9 can't be read" in found.rejects[0]["reason"]
