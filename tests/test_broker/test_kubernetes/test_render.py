"""`boreal k8s render`: from a subscriber's one file to the objects of a cluster."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from broker.commands import k8s
from broker.errors import WrongInputError
from broker.filters.definition import FilterError
from broker.kafka.run_settings import KafkaDelivery
from broker.kubernetes.folder import difference, write
from broker.kubernetes.render import LARGEST_MAP, Rendered, render
from broker.kubernetes.subscriber import Delivering, group_prefix, topic_name

NAME = "abcde"


def text(name: str = "young", **more: str) -> str:
    keys = {"name": name, "owner": "me@example.org", "condition": "pSNIa > 0.8", **more}
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


def delivering(topic: str = "boreal-{filter}", **more: Any) -> Delivering:
    return Delivering(KafkaDelivery(brokers="kafka:9092", topic=topic, **more))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "filters"
    made.mkdir()
    (made / "a.yaml").write_text(text())
    return made


@pytest.fixture
def made(folder: Path, annotation_columns: pa.Schema) -> Rendered:
    return render(folder, annotation_columns, delivering())


def objects(rendered: Rendered, name: str = "young") -> dict[str, Any]:
    return {each["kind"]: each for each in YAML(typ="safe").load_all(rendered.files[f"kafka/{name}.yaml"])}


def errors_of(folder: Path, columns: pa.Schema, to: Delivering | None = None) -> str:
    with pytest.raises(FilterError) as caught:
        render(folder, columns, to or delivering())
    return str(caught.value).replace(f"{folder}/", "")


def test_a_filter_becomes_a_topic_that_takes_the_streams_messages(made: Rendered) -> None:
    topic = objects(made)["KafkaTopic"]
    assert topic["metadata"]["name"] == topic["spec"]["topicName"] == "boreal-young"
    assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "boreal"
    assert topic["spec"]["config"]["max.message.bytes"] == KafkaDelivery(brokers="k:1").max_message_bytes + 100_000


def test_its_user_may_read_that_topic_in_groups_of_its_own_and_nothing_else(made: Rendered) -> None:
    user = objects(made)["KafkaUser"]["spec"]
    rights = [(acl["resource"], sorted(acl["operations"])) for acl in user["authorization"]["acls"]]
    assert rights == [
        ({"type": "topic", "name": "boreal-young", "patternType": "literal"}, ["Describe", "Read"]),
        ({"type": "group", "name": "boreal-young.", "patternType": "prefix"}, ["Read"]),
    ]
    assert user["quotas"]["consumerByteRate"] > 0


def test_topic_user_and_password_say_whose_they_are(made: Rendered) -> None:
    topic, user = objects(made)["KafkaTopic"], objects(made)["KafkaUser"]
    secret = user["spec"]["template"]["secret"]
    assert [each["metadata"]["annotations"] for each in (topic, user, secret)] == [
        {"boreal/owner": "me@example.org"}
    ] * 3


names = st.text(alphabet=NAME + "-", min_size=1, max_size=6).filter(lambda name: name.strip("-") == name)
patterns = st.tuples(*[st.text(alphabet=NAME + ".-_", max_size=5)] * 2).map("{filter}".join)


@given(names, names, patterns)
def test_no_subscribers_groups_are_among_anothers(one: str, other: str, pattern: str) -> None:
    to = delivering(pattern)
    assert (one == other) == group_prefix(other, to).startswith(group_prefix(one, to))
    assert (one == other) == (topic_name(one, to) == topic_name(other, to))


def test_the_stream_gets_the_filters_as_they_were_written(folder: Path, annotation_columns: pa.Schema) -> None:
    written = text(description="'ünïcode: \\t'").replace("\n", "\r\n").encode()
    (folder / "a.yaml").write_bytes(written)
    rendered = render(folder, annotation_columns, delivering())
    assert rendered.files["filters/young.yaml"] == written


def test_the_filters_map_keeps_its_name(made: Rendered) -> None:
    (generator,) = YAML(typ="safe").load(made.files["filters/kustomization.yaml"])["configMapGenerator"]
    assert generator == {"name": "boreal-filters", "options": {"disableNameSuffixHash": True}, "files": ["young.yaml"]}


def test_the_map_of_a_region_comes_along(folder: Path, annotation_columns: pa.Schema) -> None:
    from mocpy import MOC

    MOC.from_string("3/1-5").save(folder / "area.fits", format="fits")
    (folder / "a.yaml").write_text(text(regions="[{moc: area.fits}]"))
    rendered = render(folder, annotation_columns, delivering())
    assert rendered.files["filters/area.fits"] == (folder / "area.fits").read_bytes()


@pytest.mark.parametrize("name", ["Young", "a_b", "a-", "a" * 64, "kustomization"])
def test_a_name_that_kubernetes_cannot_take_is_shown(name: str, folder: Path, annotation_columns: pa.Schema) -> None:
    (folder / "a.yaml").write_text(text(name))
    told = errors_of(folder, annotation_columns)
    assert told.startswith(f"a.yaml:1:7: {name!r} can't be the name of objects in Kubernetes")
    assert "small letters" in told


def test_a_subscriber_is_not_let_into_the_topic_of_all_alerts(folder: Path, annotation_columns: pa.Schema) -> None:
    (folder / "a.yaml").write_text(text("all"))
    told = errors_of(folder, annotation_columns, delivering(annotations="boreal-all"))
    assert "its topic boreal-all is that of deliver.kafka for all alerts" in told


def test_two_files_of_one_name_are_refused(folder: Path, annotation_columns: pa.Schema) -> None:
    (folder / "b.yaml").write_text(text())
    assert "the name 'young' is taken by" in errors_of(folder, annotation_columns)


def test_a_wrong_filter_makes_nothing(folder: Path, annotation_columns: pa.Schema) -> None:
    (folder / "b.yaml").write_text(text("other", condition="pSN1a > 0.8"))
    assert "b.yaml:3:12: unknown column 'pSN1a'" in errors_of(folder, annotation_columns)


def test_a_region_in_a_folder_is_refused_as_a_map_has_none(folder: Path, annotation_columns: pa.Schema) -> None:
    from mocpy import MOC

    (folder / "maps").mkdir()
    MOC.from_string("3/1-5").save(folder / "maps" / "area.fits", format="fits")
    (folder / "a.yaml").write_text(text(regions="[{moc: maps/area.fits}]"))
    assert "'maps/area.fits' can't be a key of a ConfigMap" in errors_of(folder, annotation_columns)


def test_more_filters_than_a_map_holds_are_refused(folder: Path, annotation_columns: pa.Schema) -> None:
    for number in range(LARGEST_MAP // 200_000 + 1):
        (folder / f"{number}.yaml").write_text(text(f"f{number}", description="x" * 200_000))
    assert "a ConfigMap 1,048,576 at most" in errors_of(folder, annotation_columns)


def test_a_topic_of_capitals_and_underscores_has_an_object_without(folder: Path, annotation_columns: pa.Schema) -> None:
    rendered = render(folder, annotation_columns, delivering("LSST_{filter}.v1"))
    topic = objects(rendered)["KafkaTopic"]
    assert (topic["metadata"]["name"], topic["spec"]["topicName"]) == ("lsst-young.v1", "LSST_young.v1")


def test_a_topic_that_no_object_can_stand_for_is_told(folder: Path, annotation_columns: pa.Schema) -> None:
    with pytest.raises(WrongInputError, match=r"'_young' can't be an object of Kubernetes"):
        render(folder, annotation_columns, delivering("_{filter}"))


def test_rendering_again_changes_nothing(folder: Path, made: Rendered, annotation_columns: pa.Schema) -> None:
    to = folder.parent / "generated"
    write(to, made.files, difference(to, made.files))
    again = render(folder, annotation_columns, delivering())
    assert again == made
    assert not difference(to, again.files)


def test_what_is_right_already_is_not_touched(folder: Path, made: Rendered, annotation_columns: pa.Schema) -> None:
    to = folder.parent / "generated"
    write(to, made.files, difference(to, made.files))
    before = (to / "kafka" / "young.yaml").stat().st_mtime_ns
    (folder / "b.yaml").write_text(text("other"))
    more = render(folder, annotation_columns, delivering()).files
    write(to, more, difference(to, more))
    assert (to / "kafka" / "young.yaml").stat().st_mtime_ns == before


def test_a_folder_with_files_of_ones_own_is_left_alone(folder: Path, made: Rendered) -> None:
    with pytest.raises(WrongInputError, match=r"holds a.yaml, which `boreal k8s render` didn't make"):
        difference(folder, made.files)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(k8s.app, ["render", *map(str, arguments)])


@pytest.fixture
def _known_columns(annotation_columns: pa.Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k8s, "schema_of", lambda _: annotation_columns)


@pytest.mark.usefixtures("_known_columns")
def test_a_filter_that_goes_takes_its_objects_along(folder: Path, tmp_path: Path) -> None:
    (folder / "b.yaml").write_text(text("other"))
    run(folder, "--to", tmp_path / "to")
    (folder / "b.yaml").unlink()
    done = run(folder, "--to", tmp_path / "to")
    assert done.exit_code == 0
    assert "- filters/other.yaml\n- kafka/other.yaml\n1 subscriber: 0 added, 2 changed, 2 removed" in done.stdout
    assert not list((tmp_path / "to").rglob("other.yaml"))


@pytest.mark.usefixtures("_known_columns")
def test_check_tells_what_is_not_up_to_date_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "to"
    assert run(folder, "--to", to, "--check").exit_code == 1
    assert not to.exists()
    run(folder, "--to", to)
    assert run(folder, "--to", to, "--check").exit_code == 0
    (folder / "a.yaml").write_text(text(owner="another@example.org"))
    done = run(folder, "--to", to, "--check")
    assert done.exit_code == 1
    assert "~ filters/young.yaml\n~ kafka/young.yaml\n" in done.stdout
    assert "me@example.org" in (to / "kafka" / "young.yaml").read_text()


@pytest.mark.usefixtures("_known_columns")
def test_topics_are_named_as_the_streams_configuration_says(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        "source: {kind: kafka, brokers: 'k:9092', topics: [a]}\nto: /nowhere/at/all\n"
        "deliver: {kafka: {brokers: 'k:9092', topic: 'x.{filter}', max_message_bytes: 5}}\n"
    )
    assert run(folder, "--to", tmp_path / "to", "--config", config).exit_code == 0
    written = (tmp_path / "to" / "kafka" / "young.yaml").read_text()
    assert "topicName: x.young\n" in written
    assert "max.message.bytes: 100005\n" in written


@pytest.mark.usefixtures("_known_columns")
def test_a_configuration_that_delivers_nothing_to_kafka_is_told(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("source: {kind: kafka, brokers: 'k:9092', topics: [a]}\nto: results\n")
    done = run(folder, "--to", tmp_path / "to", "--config", config)
    assert done.exit_code == 2
    assert "delivers nothing to Kafka" in done.stderr
