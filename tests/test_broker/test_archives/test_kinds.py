"""Every kind of archive gives the packets that were put in, under the same origins however it is cut."""

import gzip
import io
import shutil

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.archives import _parquet, _unpacking
from broker.archives.found import Rules
from broker.errors import RunFailedError
from broker.pipeline import process
from schemas.packets import packets

WITHOUT = "origin"


def annotated(found, registry, bundle):
    """The rows of all intakes, without where they came from, by survey and ids; no packet was turned away."""
    outcomes = [process(intake.packets, registry, bundle) for intake in found.intakes()]
    assert not sum(outcome.rejects.num_rows for outcome in outcomes)
    return rows_of(pa.concat_tables([outcome.annotations for outcome in outcomes]))


def rows_of(table):
    """Each row as the bytes of its Arrow stream, so that equal means equal to the last bit."""
    table = table.drop_columns(WITHOUT)
    names = zip(*(table[name].to_pylist() for name in ("survey", "alertId", "diaSourceId")), strict=True)
    return {ids: row_bytes(table, k) for k, ids in enumerate(names)}


def row_bytes(table, k):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.take(pa.array([k])).combine_chunks())
    return bytes(sink.getvalue())


@pytest.fixture(scope="module")
def expected(sample_packets, registry, bundle):
    return rows_of(process(packets(sample_packets), registry, bundle).annotations)


def put(path, sample_packets, packed, kind):
    """The packets in an archive of this kind."""
    if kind == "directory":
        for origin, payload in sample_packets:
            (path / origin).parent.mkdir(parents=True, exist_ok=True)
            (path / origin).write_bytes(payload)
    elif kind == "table":
        table = pa.table(
            {"id": list(range(len(sample_packets))), "payload": [payload for _, payload in sample_packets]}
        )
        pq.write_table(table, path, row_group_size=11)
    elif kind == "delta":
        from deltalake import write_deltalake

        write_deltalake(path, pa.table({"payload": [payload for _, payload in sample_packets]}))
    elif kind == "zipped":
        path.mkdir()
        for k, (_, payload) in enumerate(sample_packets):
            (path / f"{k}.avro.gz").write_bytes(gzip.compress(payload, 1))
    else:
        path.write_bytes(packed(sample_packets, compress=kind == "tar.gz"))
    return path


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "directory", "table", "delta", "zipped"])
def test_packets_of_all_surveys_give_the_same_rows_as_one_by_one(
    tmp_path, opened, packed, small_portions, sample_packets, registry, bundle, expected, kind, monkeypatch
):
    small_portions(5)
    monkeypatch.setattr(_unpacking, "SEEK_SPACING", 2**18)
    found = opened(put(tmp_path / "night", sample_packets, packed, kind))
    assert found.listed.packets == len(sample_packets) == sum(portion.packets for portion in found.portions)
    assert found.listed.portions > 2 or kind == "delta"
    assert annotated(found, registry, bundle) == expected


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "directory", "table"])
def test_origins_and_order_don_t_depend_on_the_cut(
    tmp_path, opened, packed, small_portions, sample_packets, kind, monkeypatch
):
    path = put(tmp_path / "night", sample_packets, packed, kind)
    found = []
    for most in (256, 7, 1):
        small_portions(most)
        monkeypatch.setattr(_parquet, "MOST_ROWS", most)
        found.append(opened(path).packets)
    assert found[0] == found[1] == found[2]
    assert len({origin for origin, _ in found[0]}) == len(sample_packets)
    assert sorted(payload for _, payload in found[0]) == sorted(payload for _, payload in sample_packets)


def test_origins_tell_where_a_packet_is(tmp_path, opened, packed, sample_packets):
    first = min(sample_packets)[0]
    for kind, origin in {"tar": f"a.tar!{first}", "directory": f"a.directory!{first}", "table": "a.table#0"}.items():
        assert opened(put(tmp_path / f"a.{kind}", sample_packets, packed, kind)).packets[0][0] == origin


@pytest.fixture(scope="module")
def many(make_packet):
    """A container of 1,500 alerts in small blocks."""
    name = "elasticc.v0_9_1.alert"
    return make_packet.container(
        name, *(one(make_packet, name, k) for k in range(1500)), codec="deflate", sync_interval=4000
    )


def one(make_packet, name, k):
    source = {"diaSourceId": k, "midPointTai": 60000.0 + k, "psFlux": 100.0, "psFluxErr": 1.0, "filterName": "r"}
    return make_packet.record(name, alertId=2**62 + k, diaSource={**source, "ra": 1.0, "decl": 2.0}, diaObject={})


@pytest.mark.parametrize("most", [100_000, 256, 1])
def test_a_container_of_many_records_is_the_same_however_it_is_cut(
    tmp_path, opened, small_portions, many, registry, bundle, most
):
    (tmp_path / "many.avro").write_bytes(many)
    small_portions(most)
    found = opened(tmp_path / "many.avro")
    assert found.listed.packets == 1500
    assert (found.listed.portions == 1) == (most == 100_000)
    tables = [process(intake.packets, registry, bundle).annotations for intake in found.intakes()]
    whole = process(packets([("many.avro", many)]), registry, bundle).annotations
    assert pa.concat_tables(tables).equals(whole)
    assert whole["origin"].to_pylist() == [f"many.avro#{k}" for k in range(1500)]
    assert whole["alertId"].to_pylist() == [2**62 + k for k in range(1500)]


def test_more_small_records_than_a_packet_may_have_all_come(tmp_path, opened, make_packet, registry):
    from schemas.decode import decode

    name = "elasticc.v0_9.alert"
    out, record = io.BytesIO(), one(make_packet, name, 1)
    fastavro.writer(out, registry.by_name(name).json, (record for _ in range(40_000)), codec="deflate")
    (tmp_path / "n.avro").write_bytes(out.getvalue())
    found = opened(tmp_path / "n.avro")
    decoded = [decode(intake.packets, registry) for intake in found.intakes()]
    assert found.listed.packets == sum(len(each.alerts) for each in decoded) == 40_000
    assert not sum(each.rejects.num_rows for each in decoded)
    assert decoded[-1].origins[-1].as_py() == "n.avro#39999"


def test_a_broken_block_takes_nothing_from_the_others(tmp_path, opened, small_portions, many, registry):
    from schemas.decode import decode

    found = []
    for most in (100_000, 50):
        broken = bytearray(many)
        broken[len(many) // 2] ^= 0xFF
        (tmp_path / "n.avro").write_bytes(broken)
        small_portions(most)
        decoded = [decode(intake.packets, registry) for intake in opened(tmp_path / "n.avro").intakes()]
        origins = [origin for each in decoded for origin in each.origins.to_pylist()]
        found.append((origins, [row["origin"] for each in decoded for row in each.rejects.to_pylist()]))
    assert found[0] == found[1]
    origins, rejected = found[0]
    assert len(rejected) == 1
    assert 1400 < len(origins) < 1500
    assert origins[-1] == "n.avro#1499"
    assert origins.index("n.avro#0") == 0


def test_a_container_that_is_cut_off_yields_its_whole_blocks_and_one_reject(tmp_path, opened, many):
    (tmp_path / "n.avro").write_bytes(many[: len(many) * 2 // 3])
    found = opened(tmp_path / "n.avro")
    (reject,) = found.rejects
    assert (
        f"a damaged container: {found.listed.packets} records could be found, then: truncated: the block at byte"
        in (reject["reason"])
    )
    assert 500 < found.listed.packets < 1100
    assert found.listed.faults[0]["packets"] == found.listed.packets


def test_a_container_of_one_record_and_a_broken_one_are_packets(tmp_path, opened, make_packet):
    name = "elasticc.v0_9.alert"
    single = make_packet.container(name, one(make_packet, name, 5))
    for content in (single, b"Obj\x01" + b"\xff" * 50, make_packet.container(name)):
        (tmp_path / "n.avro").write_bytes(content)
        assert opened(tmp_path / "n.avro").packets == [("n.avro", content)]


def test_a_directory_may_hold_archives_of_every_kind(tmp_path, opened, packed, sample_packets, many):
    folder = tmp_path / "mixed"
    put(folder / "loose", sample_packets[:3], packed, "directory")
    put(folder / "n.tar.gz", sample_packets[3:6], packed, "tar.gz")
    put(folder / "t.parquet", sample_packets[6:9], packed, "table")
    (folder / "many.avro").write_bytes(many)
    (folder / ".hidden").write_bytes(b"left alone")
    found = opened(folder)
    assert found.listed.kinds == {"packets": 3, "tar": 1, "table": 1, "container": 1}
    assert found.listed.packets == 9 + 1500
    origins = [origin for origin, _ in found.packets]
    assert {origin.partition("!")[0] for origin in origins} == {"mixed"}
    assert {origin.split("!")[1].partition("#")[0] for origin in origins} >= {"n.tar.gz", "t.parquet", "many.avro"}
    assert "mixed!many.avro#0+" in origins


def test_a_table_without_the_column_is_told_with_its_columns(tmp_path, opened):
    pq.write_table(pa.table({"packet": [b"x"], "name": ["y"]}), tmp_path / "t.parquet")
    assert "no column 'payload' (its columns: packet, name)" in opened(tmp_path / "t.parquet").rejects[0]["reason"]
    wrong = opened(tmp_path / "t.parquet", Rules(column="name")).rejects
    assert "column 'name' holds string; expected the packets, as binary" in wrong[0]["reason"]
    found = opened(tmp_path / "t.parquet", Rules(column="packet", origin_column="name"))
    assert found.packets == [("y", b"x")]


def test_a_packet_that_isn_t_there_is_an_empty_one(tmp_path, opened):
    table = pa.table({"payload": pa.array([b"x", None], pa.large_binary()), "from": ["here", None]})
    pq.write_table(table, tmp_path / "t.parquet")
    found = opened(tmp_path / "t.parquet", Rules(origin_column="from"))
    assert found.packets == [("here", b"x"), ("t.parquet#1", b"")]


def test_a_damaged_table_is_a_packet_that_is_turned_away(tmp_path, opened):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing else")
    assert opened(tmp_path / "t.parquet").packets == [("t.parquet", b"PAR1 and nothing else")]


def test_rows_within_a_row_group_are_found(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(_parquet, "MOST_ROWS", 300)
    monkeypatch.setattr(_parquet, "ROWS_AT_ONCE", 64)
    contents = [b"%d" % k for k in range(1700)]
    pq.write_table(pa.table({"payload": contents}), tmp_path / "t.parquet", row_group_size=700)
    found = opened(tmp_path / "t.parquet")
    assert [(p.start, p.end) for p in found.portions][:4] == [(0, 300), (300, 600), (600, 700), (700, 1000)]
    assert [payload for _, payload in found.packets] == contents


def test_an_archive_that_changes_while_it_is_read_stops_the_run(tmp_path, opened, packed, sample_packets):
    path = put(tmp_path / "n.tar", sample_packets, packed, "tar")
    found = opened(path)
    path.write_bytes(packed(sample_packets[:4]))
    with pytest.raises(RunFailedError, match=r"n\.tar"):
        list(found.intakes())
    path.unlink()
    with pytest.raises(RunFailedError, match="can't be read any more"):
        list(found.intakes())


def test_an_intake_says_whose_it_is_and_how_many_portions_are_done(tmp_path, opened, packed, small_portions):
    small_portions(50)
    (tmp_path / "n.tar").write_bytes(packed([(str(k), b"x") for k in range(500)]))
    found = opened(tmp_path / "n.tar")
    intakes = list(found.intakes())
    assert len(intakes) == 3
    assert {intake.input for intake in intakes} == {"n.tar"}
    assert sum(intake.portions for intake in intakes) == found.listed.portions == 10
    assert np.sum([intake.packets.num_rows for intake in intakes]) == 500


def test_of_a_run_only_what_the_ledger_has_counts(tmp_path, opened, outcomes):
    from broker.commit import Committer
    from broker.harvest import Harvest
    from broker.run_directory import RunDirectory

    committer = Committer(RunDirectory(tmp_path / "run"), ())
    committer.commit(0, Harvest(outcomes[0]))
    n = outcomes[0].annotations.num_rows
    (part,) = list(committer.run.annotations.rglob("*.parquet"))[:1]
    shutil.copy(part, part.with_name(part.name.replace("-00000000", "-00000001")))
    for path in (tmp_path / "run", tmp_path / "run" / "annotations"):
        found = opened(path)
        assert found.listed.packets == n
        assert set(found.listed.kinds) == {"annotations"}
        assert sum(intake.stored.num_rows for intake in found.intakes()) == n
