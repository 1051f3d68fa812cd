"""A certificate for servers on this machine."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from broker.errors import RunFailedError


@dataclass(frozen=True)
class Certificate:
    """PEM files for ``localhost`` and 127.0.0.1; clients that trust `public` as an authority accept the server."""

    public: Path
    key: Path


def certificate(directory: Path) -> Certificate:
    """The certificate of this directory, made where it isn't there yet, valid for a year.

    Raises
    ------
    RunFailedError
        If there is no ``openssl``, or it fails.
    """
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    if made.public.exists():
        return made
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        "openssl", "req", "-x509", "-nodes", "-days", "365", "-subj", "/CN=localhost",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout", str(made.key), "-out", str(made.public),
    ]  # fmt: skip
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # the command above
    except FileNotFoundError as error:
        raise RunFailedError("a certificate is made with openssl, and there is no `openssl` on the path") from error
    except subprocess.CalledProcessError as error:
        raise RunFailedError(f"openssl could not make a certificate in {directory}: {error.stderr}") from error
    return made
