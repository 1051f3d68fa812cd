"""Every object is what Kubernetes, Spark's operator and Strimzi say it may be, without a field too many."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest
from kubernetes_validate import utils
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from conftest import Build

VERSIONS = ("1.34", "1.36", "1.37")
CRDS = Path(__file__).parents[2] / "k8s" / "test" / "crds"

Definitions = dict[str, dict[str, Any]]
"""The strict schema of each kind that an operator brings, by API version and kind."""


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    found = {}
    for path in CRDS.glob("*.yaml"):
        spec = YAML(typ="safe").load(path)["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            found[f"{spec['group']}/{version['name']} {spec['names']['kind']}"] = strict(schema)
    return found


def strict(schema: Any) -> Any:
    """The same, refusing what it doesn't name, as an API server does that is asked for it."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if made.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    open_ended = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and made.get("type") == "object" and not open_ended:
        made["additionalProperties"] = False
    return made


def kind_of(each: dict[str, Any]) -> str:
    return f"{each['apiVersion']} {each['kind']}"


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    """With the fields that every object has."""
    common = {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
    return {**schema, "properties": {**schema["properties"], **common}}


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object_of_its_own(version: str, any_build: "Build", definitions: Definitions) -> None:
    own = [each for each in any_build.objects if kind_of(each) not in definitions]
    for each in own:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_operators_take_theirs(any_build: "Build", definitions: Definitions) -> None:
    theirs = [each for each in any_build.objects if kind_of(each) in definitions]
    for each in theirs:
        jsonschema.Draft202012Validator(whole(definitions[kind_of(each)])).validate(each)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_the_pods_that_spark_makes_of_templates(version: str, build: "Build") -> None:
    for pod in build.pods:
        kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "spec": pod.spec}, version, strict=True)


def test_a_field_that_does_not_exist_is_refused(definitions: Definitions) -> None:
    user = {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": "a"},
        "spec": {"authentication": {"type": "scram-sha-512"}},
    }
    validator = jsonschema.Draft202012Validator(whole(definitions["kafka.strimzi.io/v1 KafkaUser"]))
    assert validator.is_valid(user)
    wrong = json.loads(json.dumps(user).replace('"type"', '"kind"'))
    assert not validator.is_valid(wrong)
    assert not validator.is_valid({**user, "spec": {"authorisation": {}}})
