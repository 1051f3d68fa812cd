"""The schema registry."""

from collections.abc import Mapping
from http import HTTPStatus

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.config import RegistryServer
from broker.errors import WrongInputError
from broker.outgoing.registration import registry_client

_REMEDIES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "check `registry.user`, and the password in the place that `registry.password` names",
    HTTPStatus.FORBIDDEN: "ask the registry's operator for the right to read for this user",
    HTTPStatus.NOT_FOUND: "check `registry.url`",
}


def answers(subject: Subject) -> Outcome:
    """It lists what it has, and gives a schema by its number, as a run asks for it."""
    server = subject.registry
    try:
        with registry_client(server) as client:
            return _asked(client, server)
    except SchemaRegistryError as error:
        return _of_status(server, error)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        found = f"{server.url} answers with something that isn't a registry's ({type(error).__name__})"
        return failed(found, "check `registry.url`")
    except WrongInputError:
        raise
    except Exception as error:  # noqa: BLE001  # the client's HTTP library has exceptions of its own
        found = str(error) or f"no answer within {server.timeout_seconds:g} s ({type(error).__name__})"
        return failed(f"{server.url} can't be reached: {found}", _remedy(found))


def _asked(client: SchemaRegistryClient, server: RegistryServer) -> Outcome:
    subjects = client.get_subjects()
    if not subjects:
        return ok(f"{server.url} answers, and has no schemas yet")
    known = client.get_latest_version(subjects[0])
    client.get_schema(int(known.schema_id or 0))
    return ok(f"{server.url} answers: {len(subjects)} subjects; it gives schema {known.schema_id}, of {subjects[0]}")


def _of_status(server: RegistryServer, error: SchemaRegistryError) -> Outcome:
    status, what = error.http_status_code, " ".join(str(error.error_message).split())[:200]
    found, remedy = f"{server.url} answers {status}: {what}", _REMEDIES.get(status, "see the registry's log")
    # A run asks for schemas by their numbers; some registries give those to users who may list nothing.
    return warning(found, remedy) if status == HTTPStatus.FORBIDDEN else failed(found, remedy)


def _remedy(what: str) -> str:
    if "CERTIFICATE" in what.upper():
        return "check `registry.ca_file`"
    return "see that it runs, and check `registry.url`; until it answers, packets with new schemas become dead letters"
