"""`boreal replay-packets`: the packets arrive, at the rate, under new ids where that is asked for."""

import io
import json
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import pytest

from broker.errors import WrongInputError
from broker.kafka.client import Client
from broker.kafka.settings import Cluster
from broker.local.kafka import LocalKafka
from broker.replay_packets import Originals, packets_as_they_are, packets_to_send, read_packets
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry

BOREAL = Path(sys.executable).with_name("boreal")


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [BOREAL, "replay-packets", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def alert_ids(payloads: list[bytes], registry: BundledRegistry) -> list[int]:
    decoded = decode(packets([(str(n), payload) for n, payload in enumerate(payloads)]), registry)
    assert not decoded.rejects.num_rows
    ids: list[int] = decoded.alerts.table["alert_id"].to_pylist()
    return ids


def wait_for_messages(kafka: LocalKafka, topic: str) -> None:
    client, deadline = Client(Cluster(brokers=kafka.brokers)), time.monotonic() + 30
    while not client.bounds(f"{topic}/0").next and time.monotonic() < deadline:
        time.sleep(0.2)
    client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A packet in a folder of a folder, two in an archive, and a file that is still being written."""
    made = tmp_path / "packets"
    (made / "b").mkdir(parents=True)
    (made / "b" / "one.avro").write_bytes(b"1")
    (made / ".unfinished").write_bytes(b"0")
    with tarfile.open(made / "c.tar.gz", "w:gz") as archive:
        for name, content in (("two.avro", b"2"), ("three.avro", b"3")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made


def test_files_folders_and_archives_are_read_in_order(folder: Path) -> None:
    inside = [("b/one.avro", b"1"), ("c.tar.gz!two.avro", b"2"), ("c.tar.gz!three.avro", b"3")]
    assert list(read_packets([folder])) == inside
    assert list(read_packets([folder / "b" / "one.avro", folder])) == [("one.avro", b"1"), *inside]


def test_repeated_packets_are_read_again_and_no_packets_end_at_once(folder: Path, tmp_path: Path) -> None:
    assert b"".join(payload for _, payload in islice(packets_as_they_are([folder], repeat=True), 7)) == b"1231231"
    (tmp_path / "empty").mkdir()
    assert list(packets_as_they_are([tmp_path / "empty"], repeat=True)) == []
    assert list(packets_to_send([], 0, repeat=True)) == []


def test_what_can_t_be_read_is_told(folder: Path) -> None:
    whole = (folder / "c.tar.gz").read_bytes()
    (folder / "c.tar.gz").write_bytes(whole[:-20])
    with pytest.raises(WrongInputError, match=r"c.tar.gz: a damaged tar archive"):
        list(read_packets([folder]))


def test_each_round_has_new_ids_and_what_keeps_its_ids_is_counted(
    lsst_packets: list[tuple[str, bytes]], registry: BundledRegistry
) -> None:
    originals = Originals.of([("broken", b"broken"), *lsst_packets[-3:]], registry)
    assert list(originals.staying.values()) == [1]
    sent = list(islice(packets_to_send(originals.templates, 5, repeat=True), 12))
    assert sent == list(islice(packets_to_send(originals.templates, 5, repeat=True), 12))
    assert [payload for origin, payload in sent if origin == "broken"] == [b"broken"] * 3
    ids = alert_ids([payload for origin, payload in sent if origin != "broken"], registry)
    assert len(set(ids)) == 9
    assert not set(ids) & set(alert_ids([payload for _, payload in lsst_packets], registry))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone", "--topic", "alerts", "--brokers", "localhost:9092"], "gone doesn't exist"),
        ([".", "--topic", "alerts"], "give one of --brokers HOST:PORT and --config FILE"),
        ([".", "--topic", "alerts", "--brokers", "localhost"], "expected HOST:PORT"),
        ([".", "--brokers", "localhost:9092"], "give --topic NAME"),
    ],
)
def test_wrong_arguments(arguments: list[str], said: str) -> None:
    done = replay(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.fixture
def configured(tmp_path: Path, kafka: LocalKafka) -> Callable[..., Path]:
    """A run's configuration with a login."""

    def make(topic: str, password: str = "alice-secret") -> Path:  # noqa: S107  # the test broker's
        folder = tmp_path / password
        folder.mkdir()
        (folder / "password").write_text(password)
        source = {
            "kind": "kafka", "brokers": kafka.sasl_brokers, "topics": [topic],
            "security": {"user": "alice", "password": {"file": "password"}},
        }  # fmt: skip
        path = folder / "run.yaml"
        path.write_text(json.dumps({"source": source, "to": "results"}))
        return path

    return make


class TestWithKafka:
    pytestmark = pytest.mark.slow

    def test_packets_arrive_as_they_are(
        self, kafka: LocalKafka, topic: Callable[..., str], configured: Callable[..., Path], data_dir: Path
    ) -> None:
        name = topic(config={"max.message.bytes": "500000"})
        kafka.allow("alice", "topic", name, "write", "describe")
        done = replay(data_dir / "packets", "--config", configured(name), "--json")
        assert done.returncode == 0, done.stderr
        files = [path.read_bytes() for path in sorted((data_dir / "packets").glob("*/*"))]
        arrived = kafka.read(name)
        assert [message.value() for message in arrived] == files
        assert {message.key() for message in arrived} == {None}
        told = json.loads(done.stdout)
        assert (told["packets"], told["bytes"]) == (len(files), sum(map(len, files)))

    def test_the_rate_is_kept_and_ids_are_new_with_every_replay(
        self, kafka: LocalKafka, topic: Callable[..., str], data_dir: Path, registry: BundledRegistry
    ) -> None:
        name = topic()
        where = ["--brokers", kafka.brokers, "--topic", name, "--new-ids", "--repeat", "--json"]
        folder = data_dir / "packets" / "ztf"
        told = json.loads(replay(folder, *where, "--rate", 50, "--count", 150).stdout)
        replay(folder, *where, "--count", 10)
        assert told["rate"] == pytest.approx(50, rel=0.1)
        messages = kafka.read(name)
        times = [message.timestamp()[1] for message in messages[:150]]
        assert times[-1] - times[0] == pytest.approx(149 * 20, rel=0.1)
        assert max(later - earlier for earlier, later in pairwise(times)) < 500
        assert len(set(alert_ids([message.value() or b"" for message in messages], registry))) == 160

    def test_ctrl_c_ends_it_and_says_what_was_sent(
        self, kafka: LocalKafka, topic: Callable[..., str], data_dir: Path
    ) -> None:
        name = topic()
        where = ["--brokers", kafka.brokers, "--topic", name, "--rate", "50", "--repeat", "--json"]
        command: list[str | Path] = [BOREAL, "replay-packets", str(data_dir / "packets" / "ztf"), *where]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            wait_for_messages(kafka, name)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert json.loads(said)["packets"] == len(kafka.read(name)) > 0

    def test_a_packet_that_is_too_large_is_named(
        self, kafka: LocalKafka, topic: Callable[..., str], data_dir: Path
    ) -> None:
        name = topic(config={"max.message.bytes": "200000"})
        large = data_dir / "packets" / "lsst" / "v10_0_170112044540887132.avro"
        done = replay(large, "--brokers", kafka.brokers, "--topic", name)
        assert done.returncode == 1
        assert "v10_0_170112044540887132.avro (427,321 bytes) wasn't sent" in done.stderr
        assert "a message is larger than the topic allows" in done.stderr

    def test_no_topic_a_wrong_password_and_no_right_are_told_apart(
        self, kafka: LocalKafka, topic: Callable[..., str], configured: Callable[..., Path], data_dir: Path
    ) -> None:
        name, missing = topic(), topic(partitions=0)
        kafka.allow("alice", "topic", name, "describe")
        packet = next((data_dir / "packets" / "ztf").iterdir())
        for arguments, said in (
            (["--brokers", kafka.brokers, "--topic", missing], f"there is no topic {missing}"),
            (["--config", configured(name)], "the user has no right to the topic"),
            (["--config", configured(name, "guessed")], "the login was refused"),
        ):
            done = replay(packet, *arguments)
            assert done.returncode == 1
            assert said in done.stderr
            assert "guessed" not in done.stderr
