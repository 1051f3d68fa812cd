"""What a shadow said is written down once, whenever the process dies, and changes nothing else that is written."""

import logging
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from broker.annotate import schema_for
from broker.books import journal
from broker.commit import Committer
from broker.filters.definition import Filter
from broker.harvest import Harvest, join
from broker.outgoing.destinations import Topics, destinations
from broker.outgoing.schema_ids import local_id
from broker.pipeline import Outcome
from broker.run_directory import RunDirectory
from broker.shadow.manifests import folder_of, keep, kept
from broker.shadow.model import ShadowModel
from broker.shadow.rows import COMPARED, SHADOW
from broker.shadow.score import compare
from broker.shadow.settings import ShadowSettings
from broker.sources.intake import KafkaReader
from broker.spark.worker import HARVEST, Worker, pack, unpack
from classifiers.bundle import Bundle, BundleError


class KilledError(Exception):
    """Stands for the death of the process between two file operations."""


@pytest.fixture(autouse=True)
def _clock(monkeypatch) -> None:
    """The time stands still, so that what is written again is the same."""
    monkeypatch.setattr("broker.commit.now", lambda: 1_750_000_000_000)


@pytest.fixture(scope="session")
def shadow(candidate: Path) -> ShadowModel:
    return ShadowModel(candidate, Bundle.load(candidate).sha256)


@pytest.fixture(scope="session")
def harvests(outcomes: list[Outcome], shadow: ShadowModel) -> list[Harvest]:
    """Three micro-batches; the last repeats an alert of the first."""
    loaded = Bundle.load(shadow.path)
    return [
        Harvest(outcome, shadow=compare(outcome.annotations, shadow, lambda: loaded)) for outcome in outcomes
    ]  # fmt: skip


def commit_all(path: Path, harvests: list[Harvest], filters: tuple[Filter, ...] = ()) -> Committer:
    (path / "checkpoint").mkdir(parents=True, exist_ok=True)
    (path / "checkpoint" / "boreal-stream-id").write_text("0123abcd")
    committer = Committer(RunDirectory(path), filters)
    for number, harvest in enumerate(harvests):
        committer.commit(number, harvest)
    return committer


def stored(path: Path) -> pa.Table:
    parts = ds.partitioning(pa.schema([("night", pa.int32())]), flavor="hive")
    files = sorted(map(str, (path / "shadow").glob("night=*/part-*.parquet")))
    return ds.dataset(files, partitioning=parts, partition_base_dir=str(path / "shadow")).to_table()


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_every_annotated_alert_is_written_once_with_both_answers(tmp_path, harvests) -> None:
    total = commit_all(tmp_path, harvests).ledger.total
    found = stored(tmp_path)
    keys = list(zip(*(found[name].to_pylist() for name in ("survey", "alertId", "diaSourceId")), strict=True))
    assert total.duplicates == 1
    assert len(keys) == len(set(keys)) == total.annotated
    assert sorted(found.column_names) == sorted(COMPARED.names)
    assert {folder.name for folder in (tmp_path / "shadow").iterdir()} == {f"night={n}" for n in total.nights}


def test_the_books_tell_which_bundle_annotated_and_how_far_the_shadow_agreed(
    tmp_path, harvests, bundle, shadow
) -> None:
    committer = commit_all(tmp_path, harvests)
    total, found = committer.ledger.total, stored(tmp_path)
    same = pc.sum(pc.equal(found["classId"], found["shadowClassId"])).as_py()
    assert total.bundles == {bundle.sha256[:12]: total.annotated}
    assert total.shadow == {shadow.sha256[:12]: {"alerts": total.annotated, "same": same, "failures": 0}}
    pages = list(journal.read(committer.run.journal))
    assert [page.entry.bundles[bundle.sha256[:12]] for page in pages] == [page.entry.annotated for page in pages]


def test_nothing_else_differs_from_a_run_without_it(tmp_path, harvests, filters) -> None:
    commit_all(tmp_path / "with", harvests, filters)
    commit_all(tmp_path / "without", [replace(each, shadow=SHADOW.empty_table()) for each in harvests], filters)
    books = ("ledger.json", "batches.jsonl")
    one, other = (
        {name: data for name, data in contents(tmp_path / side).items() if name not in books and "shadow" not in name}
        for side in ("with", "without")
    )
    assert one == other
    assert not (tmp_path / "without" / "shadow").exists()


def test_killed_between_any_two_files_it_is_written_once(tmp_path, harvests, monkeypatch) -> None:
    commit_all(tmp_path / "whole", harvests)
    expected, left, replace_file = contents(tmp_path / "whole"), [10**9], Path.replace

    def dies(path: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KilledError
        left[0] -= 1
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", dies)
    for survives in range(200):
        left[0] = survives
        try:
            commit_all(tmp_path / f"{survives}", harvests)
            break
        except KilledError:
            left[0] = 10**9
        commit_all(tmp_path / f"{survives}", harvests)
        assert contents(tmp_path / f"{survives}") == expected, f"died after {survives} files"
    assert survives > 20


def test_what_a_dead_micro_batch_left_is_removed_and_manifests_stay(tmp_path, harvests, bundle) -> None:
    commit_all(tmp_path, harvests[:1])
    run = RunDirectory(tmp_path)
    keep(run, bundle.path)
    stray = tmp_path / "shadow" / "night=20260310" / "part-0123abcd-00000001.parquet"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.touch()
    Committer(run, ())
    assert not stray.exists()
    assert stored(tmp_path).num_rows == harvests[0].outcome.annotations.num_rows
    assert kept(run, bundle.sha256) == bundle.manifest


def test_a_manifest_that_is_not_there_or_was_changed_is_none(tmp_path, bundle) -> None:
    run = RunDirectory(tmp_path)
    assert kept(run, bundle.sha256) is None
    keep(run, bundle.path)
    file = folder_of(run, bundle.sha256) / "manifest.json"
    file.write_text(file.read_text().replace(f'"version": "{bundle.version}"', '"version": "0.0.1"'))
    assert kept(run, bundle.sha256) is None


def test_failures_are_counted_and_told(tmp_path, harvests, shadow, caplog) -> None:
    def gone() -> Bundle:
        raise BundleError("gone")

    annotations = harvests[0].outcome.annotations
    broken = replace(harvests[0], shadow=compare(annotations, shadow, gone))
    with caplog.at_level(logging.WARNING):
        total = commit_all(tmp_path, [broken]).ledger.total
    n = annotations.num_rows
    assert total.annotated == n
    assert total.shadow == {shadow.sha256[:12]: {"alerts": 0, "same": 0, "failures": n}}
    assert f"the shadow failed on {n} of {n} alerts, which were annotated as ever: BundleError: gone" in caplog.text


def test_a_harvest_with_a_shadow_crosses_spark_and_is_joined_in_its_order(harvests) -> None:
    crossed = unpack(pa.Table.from_batches([pack(harvest) for harvest in harvests], schema=HARVEST))
    assert crossed is not None
    assert crossed.shadow.equals(join(harvests).shadow)
    assert crossed.shadow["row"].to_pylist() == list(range(crossed.outcome.annotations.num_rows))
    assert crossed.shadow["alertId"].equals(crossed.outcome.annotations["alertId"])


def test_a_worker_makes_the_same_messages_and_annotations_with_and_without_it(
    bundle, shadow, filters, lsst_packets, kafka_records
) -> None:
    wanted = destinations(
        filters, schema_for(bundle.manifest), Topics("x-{filter}", "all"), lambda _, avro: local_id(avro)
    )
    (intake,) = KafkaReader()([kafka_records([payload for _, payload in lsst_packets])])
    without = Worker(KafkaReader(), bundle.path, filters, wanted)
    one, other = without.harvest(intake), replace(without, shadow=shadow).harvest(intake)
    assert one.outcome.annotations.equals(other.outcome.annotations)
    stamped = [name for name in one.records.column_names if name != "value"]
    assert one.records.num_rows > len(lsst_packets)
    assert one.records.select(stamped).equals(other.records.select(stamped))
    assert other.shadow["alertId"].equals(other.outcome.annotations["alertId"])
    assert sum(other.shadow["seconds"].to_pylist()) == pytest.approx(other.seconds["shadow"], rel=1e-3)


def test_a_bundle_that_cannot_be_used_is_told_at_the_start(tmp_path, bundle) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(BundleError, match=r"the bundle of the shadow can't be used: .*format version"):
        ShadowModel.of(ShadowSettings(bundle=tmp_path), bundle.sha256)


def test_the_run_s_own_bundle_is_no_shadow(bundle, candidate, caplog) -> None:
    assert ShadowModel.of(None, bundle.sha256) is None
    assert ShadowModel.of(ShadowSettings(bundle=bundle.path), bundle.sha256) is None
    assert "nothing runs beside it" in caplog.text
    made = ShadowModel.of(ShadowSettings(bundle=candidate, fraction=0.1), bundle.sha256)
    assert made == ShadowModel(candidate, Bundle.load(candidate).sha256, 0.1)
