"""`boreal reprocess` as a person runs it: archives of every kind, again, its own results, and the same through Kafka.

Killed over and over it is in `tests/test_benchmarks/test_reprocess_kills.py`.
"""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.annotate import schema_for
from broker.pipeline import process
from schemas.packets import packets

pytestmark = pytest.mark.slow


def alert(make_packet, k):
    """A small alert with ids beyond 53 bits."""
    place = {"ra": 1.0 + k / 100, "decl": 2.0, "filterName": "r"}
    times = [{"midPointTai": 60000.0 + j, "psFlux": 900.0 + k, "psFluxErr": 9.0, **place} for j in range(4)]
    ids = {"diaSourceId": 2**60 + k}
    made = {"alertId": 2**62 + k, "diaSource": times[0] | ids, "prvDiaSources": times[1:], "diaObject": {}}
    return make_packet.record("elasticc.v0_9_1.alert", **made)


def container(make_packet, numbers, **settings):
    return make_packet.container("elasticc.v0_9_1.alert", *(alert(make_packet, k) for k in numbers), **settings)


@pytest.fixture(scope="module")
def everything(sample_packets, make_packet):
    """All packets that the run's inputs hold, copies once."""
    return [*sample_packets, ("many", container(make_packet, range(600)))]


@pytest.fixture(scope="module")
def run(tmp_path_factory, examples_dir, sample_packets, make_packet, packed, live_run):
    """A reprocessing that is done: an input of every kind, one damaged, one that repeats others."""
    folder = tmp_path_factory.mktemp("reprocess")
    ztf = [pair for pair in sample_packets if pair[0].startswith("ztf/")]
    lsst = [pair for pair in sample_packets if pair[0].startswith("lsst/")]
    inputs = folder / "in"
    inputs.mkdir()
    (inputs / "ztf_public_20181129.tar.gz").write_bytes(packed(ztf, compress=True))
    (inputs / "lsst.tar").write_bytes(packed([*lsst[:5], ("../climbs.avro", b"out")]))
    (inputs / "many.avro").write_bytes(container(make_packet, range(600), codec="deflate", sync_interval=4000))
    pq.write_table(pa.table({"packet": [payload for _, payload in lsst[5:12]]}), inputs / "packets.parquet")
    (inputs / "cut.tar.gz").write_bytes(packed(lsst[:8], compress=True)[:-100_000])
    for name, payload in lsst[12:]:
        (inputs / "loose" / name).parent.mkdir(parents=True, exist_ok=True)
        (inputs / "loose" / name).write_bytes(payload)
    made = live_run(
        folder,
        source={"kind": "archives", "inputs": ["in/*"], "column": "packet", "max_packets_per_batch": 300},
        filters=str(examples_dir / "filters"),
    )
    made.printed_json = made.boreal("reprocess", made.file, "--json")
    return made


def manifest_of(run):
    return json.loads((run.out / "manifest.json").read_text())


def by_ids(rows, *without):
    """Rows by what tells alerts apart."""
    left_out = {"origin", *without}
    return {
        (row["survey"], row["alertId"], row["diaSourceId"]): {k: v for k, v in row.items() if k not in left_out}
        for row in rows
    }


@pytest.fixture(scope="module")
def schema(bundle):
    return schema_for(bundle.manifest)


def test_rows_are_those_of_single_packets(run, everything, schema, registry, bundle, filters):
    outcome = process(packets(everything), registry, bundle, filters)
    rows = run.table(schema)
    assert by_ids(rows.values()) == by_ids(outcome.annotations.to_pylist())
    assert len(rows) == outcome.annotations.num_rows
    assert ("elasticc", 2**62 + 599, 2**60 + 599) in by_ids(rows.values())
    assert {f"many.avro#{k}" for k in range(600)} <= rows.keys()


def test_the_manifest_accounts_for_every_input(run, bundle, filters):
    found = manifest_of(run)
    assert found["bundle"]["sha256"] == bundle.sha256
    assert [each["sha256"] for each in found["filters"]] == [wanted.sha256 for wanted in filters]
    inputs = {each["label"]: each for each in found["inputs"]}
    names = ("status", "packets", "received", "annotated", "duplicates", "deadLettered")
    counts = {label: tuple(each[name] for name in names) for label, each in inputs.items()}
    cut = inputs["cut.tar.gz"]
    n = cut["packets"]
    assert 3 <= n < 8
    copies = cut["duplicates"] + inputs["packets.parquet"]["duplicates"] + inputs["lsst.tar"]["duplicates"]
    assert copies == n
    assert counts.pop("cut.tar.gz") == ("damaged", n, n + 1, cut["annotated"], n - cut["annotated"], 1)
    assert counts.pop("lsst.tar")[:3] == ("done", 6, 6)
    assert counts.pop("packets.parquet")[:3] == ("done", 7, 7)
    assert counts == {
        "ztf_public_20181129.tar.gz": ("done", 8, 8, 8, 0, 0),
        "many.avro": ("done", 600, 600, 600, 0, 0),
        "loose": ("done", 9, 9, 9, 0, 0),
    }
    for name in ("received", "annotated", "duplicates", "deadLettered"):
        assert sum(each[name] for each in found["inputs"]) == found[name] == run.books()[name]
    assert f"{n} members could be read" in cut["faults"][0]["reason"]
    assert inputs["lsst.tar"]["unsafeNames"] == 1


def test_it_is_printed_as_json_too(run):
    printed, _ = json.JSONDecoder().raw_decode(run.printed_json, run.printed_json.index("{\n"))
    assert printed == manifest_of(run)


def test_what_could_not_be_read_is_in_the_dead_letter(run):
    letters = {row["origin"]: row for row in pq.read_table(run.out / "deadletter").to_pylist()}
    assert letters.keys() == {"cut.tar.gz", "lsst.tar!../climbs.avro"}
    assert letters["lsst.tar!../climbs.avro"]["payload"] == b"out"


def test_the_stream_gives_the_same_rows(run, everything, schema, kafka, topic, live_run, tmp_path):
    """The same alerts through a real Kafka broker: byte-identical annotations."""
    name = topic()
    kafka.produce(name, *(payload for _, payload in everything))
    source = {"kind": "kafka", "brokers": kafka.brokers, "topics": [name], "max_messages_per_batch": 20}
    stream = live_run(tmp_path, source=source, filters=run.keys["filters"])
    stream.once()
    ours, theirs = (
        sorted(row_bytes(other.table(schema).values(), schema)) for other in (run, stream)
    )  # fmt: skip
    assert len(ours) == len(theirs) == 29 + 600
    assert ours == theirs


def row_bytes(rows, schema):
    """Each row as the bytes of its Arrow stream, but for where it came from."""
    for row in rows:
        sink = pa.BufferOutputStream()
        table = pa.Table.from_pylist([row], schema).drop_columns("origin")
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        yield bytes(sink.getvalue())


def test_its_results_are_scored_again_without_packets(run, schema, live_run, tmp_path):
    again = live_run(
        tmp_path, source={"kind": "archives", "inputs": [str(run.out)]}, filters=run.keys["filters"],
        table={"kind": "delta"},
    )  # fmt: skip
    printed = again.boreal("reprocess", again.file)
    assert "629" in printed
    assert again.table(schema) == run.table(schema)
    (given,) = manifest_of(again)["inputs"]
    assert (given["status"], given["received"], given["annotated"]) == ("done", 629, 629)


def test_what_is_done_is_not_read_again_and_what_is_new_is(run, packed, make_packet):
    before = run.books()
    (run.folder / "in" / "new.tar").write_bytes(packed([("a.avro", container(make_packet, [7000]))]))
    printed = run.boreal("reprocess", run.file)
    assert f"continuing: {before['received']:,} alerts are in the books already" in printed
    assert run.books()["received"] == before["received"] + 1
    (new,) = [each for each in manifest_of(run)["inputs"] if each["label"] == "new.tar"]
    assert (new["status"], new["annotated"]) == ("done", 1)
    (run.folder / "in" / "new.tar").write_bytes(b"changed")
    told = run.boreal("reprocess", run.file, code=2)
    assert "new.tar has changed since this run looked through it" in told
    assert "write to another directory" in told


def test_the_other_command_is_pointed_to(run, examples_dir):
    assert "boreal reprocess" in run.boreal("run", run.file, "--once", code=2)
    assert "source: {kind: archives" in run.boreal("reprocess", examples_dir / "lsst.yaml", code=2)
