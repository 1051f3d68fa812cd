"""No password stands in a configuration, and none that stands there by mistake is told to anybody."""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker._hiding import hidden
from broker.config import ConfigError, load_config
from broker.errors import WrongInputError
from broker.kafka.run_settings import KafkaDelivery, KafkaSource
from broker.kafka.settings import export_password, java_settings, librdkafka_settings
from broker.secrets import SecretPlace

PASSWORD = "hunter2-98765"  # noqa: S105  # nobody's
KAFKA = "source: {{kind: kafka, brokers: 'a:1', topics: [t], {}}}\nto: r\n"
REGISTRY = "source: {{kind: kafka, brokers: 'a:1', topics: [t]}}\nto: r\nregistry:\n  url: http://x\n  user: me\n{}"


def errors_of(folder: Path, text: str) -> str:
    (folder / "run.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "run.yaml")
    told = [str(caught.value), repr(caught.value), *(json.dumps(f.to_json()) for f in caught.value.findings)]
    assert not [each for each in told if PASSWORD in each or PASSWORD[:-2] in each]
    return told[0]


MISTAKES = {
    "text": f"security: {{user: me, password: {PASSWORD}}}",
    "quoted": f"security: {{user: me, password: '{PASSWORD}'}}",
    "a number": "security: {user: me, password: 98765012345}",
    "a list": f"security: {{user: me, password: [{PASSWORD}]}}",
    "a mapping of something": f"security: {{user: me, password: {{value: {PASSWORD}}}}}",
    "beside a misspelt key": f"security: {{user: me, password: {PASSWORD}, tsl: true}}",
    "beside a wrong value": f"security: {{tls: 7, user: me, password: {PASSWORD}}}",
    "under a misspelt key": f"security: {{user: me, pasword: {PASSWORD}}}",
    "under another name": f"security: {{user: me, passwd: {PASSWORD}}}",
    "under a name of Kafka's": f"sasl.password: {PASSWORD}",
    "as an option": f"options: {{sasl.password: {PASSWORD}}}",
    "as a login of Java": f"options: {{sasl.jaas.config: 'x required password=\"{PASSWORD}\";'}}",
    "as a key": f"options: {{ssl.key.pem: '{PASSWORD}'}}",
    "of a key": f"options: {{ssl.key.password: '{PASSWORD}'}}",
    "as a secret": f"options: {{sasl.oauthbearer.client.secret: '{PASSWORD}'}}",
    "in a file that isn't YAML": f"security: {{user: me, password: {PASSWORD}",
    "in quotes that don't end": f"security: {{user: me, password: '{PASSWORD}}}",
    "given twice": f"security: {{user: me, password: {PASSWORD}, password: {PASSWORD}}}",
    "as a tag": f"security: {{user: me, password: !{PASSWORD}}}",
    "as a name": f"security: {{user: me, password: {{{PASSWORD}}}}}",
    "behind an alias": f"security: {{user: me, password: *{PASSWORD}}}",
    "behind an anchor": f"security: {{user: me, password: &a {PASSWORD}, other: *a}}",
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path, mistake: str) -> None:
    told = errors_of(tmp_path, KAFKA.format(mistake))
    assert "98765012345" not in told


BLOCKS = {
    "a line of its own": f"  password: {PASSWORD}\n",
    "a line below": f"  password:\n    {PASSWORD}\n",
    "a folded text": f"  password: >\n    {PASSWORD}\n",
    "a mapping": f"  password:\n    value: {PASSWORD}\n",
    "a list": f"  password:\n    - {PASSWORD}\n",
    "a key without a colon": f"  password {PASSWORD}\n",
    "two colons": f"  password: {PASSWORD}: x\n",
    "a tab": f"\tpassword: {PASSWORD}\n",
    "upper case": f"  PASSWORD: {PASSWORD}\n",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS.keys())
def test_nor_one_in_a_block(tmp_path: Path, block: str) -> None:
    errors_of(tmp_path, REGISTRY.format(block))


@pytest.mark.parametrize(
    "text",
    [
        f"registry: {{url: 'https://me:{PASSWORD}@host:8081'}}\n",
        f"table: {{kind: delta, options: {{AWS_SECRET_ACCESS_KEY: '{PASSWORD}'}}}}\n",
        f"table: {{kind: delta, options: {{azure_storage_account_key: '{PASSWORD}'}}}}\n",
        f"spark: {{extra: {{spark.hadoop.fs.s3a.secret.key: '{PASSWORD}', password: 1}}}}\n",
    ],
)
def test_nor_one_of_another_server(tmp_path: Path, text: str) -> None:
    errors_of(tmp_path, KAFKA.format("start: latest") + text)


def test_what_to_write_instead_is_told(tmp_path: Path) -> None:
    told = errors_of(tmp_path, REGISTRY.format(f"  password: {PASSWORD}\n"))
    assert "registry.password: a password never stands in this file: write {env: NAME} or {file: PATH}" in told
    assert "  6 |   password: *************\n" in told


@given(
    st.lists(st.sampled_from([*"ab: {}-\n\t'\"@/|", "password", "env", ".key", "://", "secret:", "\n  "])).map("".join)
)
def test_hiding_keeps_every_place_where_it_is(text: str) -> None:
    shown = hidden(text)
    assert [len(line) for line in shown.split("\n")] == [len(line) for line in text.split("\n")]
    assert all(new in (old, "*") for old, new in zip(text, shown, strict=True))
    assert hidden(shown) == shown


def test_what_holds_no_password_is_shown_whole(examples_dir: Path) -> None:
    for path in examples_dir.rglob("*.yaml"):
        assert hidden(path.read_text()) == path.read_text()


def test_a_long_line_takes_no_longer_than_it_must() -> None:
    started = time.monotonic()
    for text in ("a" * 250_000, "pass" * 60_000, "pasw" * 60_000, "pa" + "s" * 250_000, "password " + " " * 250_000):
        hidden(text)
    assert time.monotonic() - started < 5


def test_the_place_of_a_password_may_be_told(tmp_path: Path) -> None:
    told = errors_of(tmp_path, KAFKA.format("security: {user: me, password: {env: KAFKA_PASSWORD}, tsl: true}"))
    assert "password: {env: KAFKA_PASSWORD}, tsl: true" in told
    assert "did you mean tls?" in told


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give one of `env`"),
        ({"env": "A", "file": "b"}, "give one of `env`"),
        ({"env": ""}, "at least 1 character"),
    ],
)
def test_a_password_has_one_place(given: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SecretPlace(**given)


def test_it_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", f"{PASSWORD}\n")
    (tmp_path / "secret").write_text(f"{PASSWORD} \r\n")
    assert SecretPlace(env="A_PASSWORD").read() == PASSWORD
    assert SecretPlace(file=tmp_path / "secret").read() == f"{PASSWORD} "


def test_where_there_is_none_the_place_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_PASSWORD", raising=False)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for place, message in (
        (SecretPlace(env="A_PASSWORD"), "no password in the environment variable A_PASSWORD"),
        (SecretPlace(file=tmp_path / "empty"), f"no password in the file {tmp_path}/empty"),
        (SecretPlace(file=tmp_path / "none"), "none can't be read: No such file"),
        (SecretPlace(file=tmp_path / "binary"), "binary can't be read: it isn't text"),
    ):
        with pytest.raises(WrongInputError, match=message):
            place.read()


SECURE = """\
source: {{kind: kafka, brokers: 'a:1', topics: [t], security: {{user: 'm"e\\', password: {place}, tls: true}}}}
to: r
deliver: {{kafka: {{brokers: 'b:2', security: {{user: me, password: {place}}}}}}}
registry: {{url: 'https://x', user: me, password: {place}}}
"""


@pytest.mark.parametrize("place", ["{env: A_PASSWORD}", "{file: secret}"])
def test_the_configuration_never_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("A_PASSWORD", PASSWORD)
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "run.yaml").write_text(SECURE.format(place=place))
    config = load_config(tmp_path / "run.yaml")
    assert isinstance(config.source, KafkaSource)
    assert config.source.security.password
    assert config.source.security.password.read() == PASSWORD
    shown = [repr(config), str(config), config.model_dump_json(), str(java_settings(config.source, "VARIABLE"))]
    assert not [each for each in shown if PASSWORD in each]


def test_clients_in_this_process_get_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    awkward = "p\"a\\s;s=${env:HOME}'w"
    monkeypatch.setenv("A_PASSWORD", awkward)
    security = {"user": 'm"e\\', "password": SecretPlace(env="A_PASSWORD"), "tls": True}
    settings = librdkafka_settings(KafkaDelivery(brokers="a:1", security=security))
    assert (settings["sasl.username"], settings["sasl.password"]) == ('m"e\\', awkward)
    assert settings["security.protocol"] == "SASL_SSL"


def test_java_s_clients_find_it_in_their_environment_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", 'p"a\\s')
    monkeypatch.setenv("FOR_JAVA", "")
    cluster = KafkaDelivery(brokers="a:1", security={"user": 'm"e\\', "password": SecretPlace(env="A_PASSWORD")})
    login = java_settings(cluster, "FOR_JAVA")["sasl.jaas.config"]
    assert login.endswith('ScramLoginModule required username="m\\"e\\\\" password="${env:FOR_JAVA}";')
    export_password(cluster, "FOR_JAVA")
    assert os.environ["FOR_JAVA"] == 'p\\"a\\\\s'


@pytest.mark.parametrize(
    ("mechanism", "module"), [("PLAIN", "plain.PlainLoginModule"), ("SCRAM-SHA-256", "scram.ScramLoginModule")]
)
def test_each_mechanism_has_its_module(mechanism: str, module: str) -> None:
    security = {"user": "me", "password": SecretPlace(env="X"), "mechanism": mechanism}
    made = java_settings(KafkaDelivery(brokers="a:1", security=security), "V")
    assert (made["sasl.mechanism"], f"security.{module} required" in made["sasl.jaas.config"]) == (mechanism, True)


def test_without_a_login_there_is_nothing_of_it() -> None:
    cluster = KafkaDelivery(brokers="a:1", options={"acks": "all"})
    assert java_settings(cluster, "V") == {
        "bootstrap.servers": "a:1",
        "security.protocol": "PLAINTEXT",
        "acks": "all",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("security: {user: me}", "`user` and `password` go together"),
        ("security: {password: {env: X}}", "`user` and `password` go together"),
        ("security: {ca_file: ca.pem}", "need `tls: true`"),
        ("security: {user: me, password: {env: X}, mechanism: GSSAPI}", "must be 'PLAIN', 'SCRAM-SHA-256' or"),
        ("pattern: x", "give one of `topics`"),
        ("start: never", "must be 'earliest' or 'latest', not 'never'"),
        ("max_messages_per_batch: 0", "must be greater than 0"),
        ("group_prefix: 'a b'", "should match pattern"),
    ],
)
def test_settings_that_make_no_sense_together(tmp_path: Path, text: str, message: str) -> None:
    assert message in errors_of(tmp_path, KAFKA.format(text))


@pytest.mark.parametrize("topics", ["[]", "['a b']", "['..']", f"['{'x' * 250}']"])
def test_what_can_not_be_a_topic(tmp_path: Path, topics: str) -> None:
    assert "source.topics" in errors_of(tmp_path, KAFKA.replace("[t]", topics).format("start: latest"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("topic: x", "must hold {filter} once"),
        ("topic: '{filter}{filter}'", "must hold {filter} once"),
        ("topic: 'a b {filter}'", "can't be a topic"),
        ("annotations: a, deadletter: a", "the topic a is given for two kinds of messages"),
        ("desc_messages: 'a/b'", "can't be a topic"),
        ("create_topics: true", "create_topics"),
    ],
)
def test_topics_of_deliveries(tmp_path: Path, text: str, message: str) -> None:
    given = (
        f"source: {{kind: kafka, brokers: 'a:1', topics: [t]}}\nto: r\ndeliver: {{kafka: {{brokers: 'a:1', {text}}}}}\n"
    )
    assert message in errors_of(tmp_path, given)
