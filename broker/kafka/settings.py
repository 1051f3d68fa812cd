"""How a Kafka cluster is reached: what a person writes, and what the two clients make of it."""

import os
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException
from pydantic import BeforeValidator, Field, field_validator, model_validator

from broker._validation import GivenPath, Strict, setting_text
from broker.errors import WrongInputError
from broker.secrets import Secret, without_secrets

Opened = TypeVar("Opened")

Brokers = Annotated[str, Field(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$|^\[[0-9a-fA-F:]+\]:\d+$")]
Options = dict[str, Annotated[str, BeforeValidator(setting_text)]]

_JAAS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


class Security(Strict):
    """Who we are to a Kafka cluster, and how it proves who it is.

    Parameters
    ----------
    user : the name to log in with; without one there is no login.
    password : where the password is found.
    mechanism : how to log in (SASL).
    tls : encrypt; with a login, to be left out only on a network that is trusted.
    ca_file : PEM file of the authorities that sign the brokers' certificates; the system's own if left out.
    certificate_file : PEM file with a private key (PKCS 8) and its certificates, to log in with a certificate.
    """

    user: str | None = None
    password: Secret | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    tls: bool = False
    ca_file: GivenPath | None = None
    certificate_file: GivenPath | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together: give both, or neither")
        if not self.tls and (self.ca_file or self.certificate_file):
            raise ValueError("`ca_file` and `certificate_file` need `tls: true`")
        return self

    @property
    def protocol(self) -> str:
        """Kafka's name for the combination of login and encryption."""
        return ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")


class Cluster(Strict):
    """A Kafka cluster.

    Parameters
    ----------
    brokers : ``host:port`` of one or more brokers, with commas between them.
    security : login and encryption.
    options : further settings of the client, by Kafka's own names.
    """

    brokers: Brokers
    security: Security = Security()
    options: Options = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _hold_no_secret(cls, options: dict[str, str]) -> dict[str, str]:
        return without_secrets(options, "use `security`")


def librdkafka_settings(cluster: Cluster) -> dict[str, str]:
    """The settings of a client in this process; they hold the password.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    """
    security = cluster.security
    made = {"bootstrap.servers": cluster.brokers, "security.protocol": security.protocol}
    if security.user and security.password:
        made |= {
            "sasl.mechanism": security.mechanism,
            "sasl.username": security.user,
            "sasl.password": security.password.read(),
        }
    if security.ca_file:
        made["ssl.ca.location"] = str(security.ca_file)
    if security.certificate_file:
        made |= {
            "ssl.certificate.location": str(security.certificate_file),
            "ssl.key.location": str(security.certificate_file),
        }
    return made


def opened(make: Callable[[dict[str, Any]], Opened], settings: dict[str, Any], cluster: Cluster) -> Opened:
    """A client of librdkafka's.

    Raises
    ------
    WrongInputError
        If a setting can't be used: an option that there isn't, a certificate that can't be read.
    """
    try:
        return make(settings)
    except KafkaException as error:
        what = error.args[0].str() if isinstance(error.args[0], KafkaError) else str(error)
        raise WrongInputError(f"the settings for Kafka at {cluster.brokers} can't be used: {what}") from None


def java_settings(cluster: Cluster, password_variable: str) -> dict[str, str]:
    """The settings of a Java client, which may be shown: the client itself reads the password from its environment.

    Parameters
    ----------
    cluster : what to reach.
    password_variable : the environment variable; see `export_password`.
    """
    security = cluster.security
    made = {"bootstrap.servers": cluster.brokers, "security.protocol": security.protocol}
    if security.user:
        login = f'{_JAAS[security.mechanism]} required username="{_escaped(security.user)}"'
        made |= {
            "sasl.mechanism": security.mechanism,
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "sasl.jaas.config": f'{login} password="${{env:{password_variable}}}";',
        }
    if security.ca_file:
        made |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(security.ca_file)}
    if security.certificate_file:
        made |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(security.certificate_file)}
    return made | cluster.options


def export_password(cluster: Cluster, password_variable: str) -> None:
    """Put the password, as a Java login wants it, where the Java processes that are started next find it.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    """
    if cluster.security.password:
        os.environ[password_variable] = _escaped(cluster.security.password.read())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
