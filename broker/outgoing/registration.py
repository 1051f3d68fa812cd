"""Schema registries as a configuration names them: one that is asked, and one that is told."""

from pathlib import Path

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from broker.config import RegistryServer
from broker.errors import RunFailedError
from broker.outgoing.schema_ids import Register
from schemas.registry_settings import RegistrySettings


def registry_settings(server: RegistryServer, cache: Path) -> RegistrySettings:
    """What the workers need to ask for schemas.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    """
    return RegistrySettings(
        url=server.url,
        username=server.user,
        password=server.password.read() if server.password else None,
        ca_file=server.ca_file,
        timeout_seconds=server.timeout_seconds,
        retry_after_seconds=server.retry_after_seconds,
        cache_directory=cache,
    )


def registry_client(server: RegistryServer) -> SchemaRegistryClient:
    """A client that tries twice.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    """
    settings = {"url": server.url, "timeout": server.timeout_seconds, "max.retries": 1}
    if server.user and server.password:
        settings["basic.auth.user.info"] = f"{server.user}:{server.password.read()}"
    if server.ca_file:
        settings["ssl.ca.location"] = str(server.ca_file)
    return SchemaRegistryClient(settings)


def registrar(server: RegistryServer) -> Register:
    """What tells the registry a topic's schema.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    RunFailedError
        When called: if the registry doesn't take the schema.
    """
    client = registry_client(server)

    def register(subject: str, avro: str) -> int:
        try:
            number: int = client.register_schema(subject, Schema(avro, "AVRO"))
        except Exception as error:  # noqa: BLE001  # the client's HTTP library has exceptions of its own
            why = error.error_message if isinstance(error, SchemaRegistryError) else f"{type(error).__name__}: {error}"
            raise RunFailedError(
                f"the schema registry at {server.url} didn't take the schema of {subject}: {why}; mend that, or set "
                "`deliver.kafka.register_schemas: false`"
            ) from None
        return number

    return register
