"""Object stores that hold Delta tables: what is an address, how long one is waited for, and what its errors mean."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.fs as pa_fs

WAIT = {"max_retries": "1000", "retry_timeout": "300s"}
"""Options with which a run waits for a store that is away, as long as for Kafka; without them it is some seconds."""

BRIEFLY = {"max_retries": "2", "retry_timeout": "10s", "connect_timeout": "5s", "timeout": "10s"}
"""Options with which the doctor asks."""

MEANINGS = (
    ("NoSuchBucket", "there is no such bucket", "create it, or correct the address"),
    (
        "InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken",
        "the login was refused",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    ("AccessDenied", "the login has no right to that", "a run needs to list, read and write, boreal compact to delete"),
    ("AuthorizationHeaderMalformed|PermanentRedirect", "the bucket is in another region", "set AWS_REGION"),
    (r"169\.254\.169\.254|[Cc]redential", "there is no login", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    (
        "URL scheme is not allowed",
        "the store's address begins with http://",
        "set AWS_ALLOW_HTTP=true, if it is to do without encryption",
    ),
    (
        "invalid peer certificate|UnknownIssuer",
        "the store's certificate isn't trusted",
        "set SSL_CERT_FILE to the file of the authority that signed it",
    ),
    (
        "tcp connect error|dns error|timed out|operation timeout|error sending request|connection closed",
        "the store doesn't answer",
        "see that it runs and that AWS_ENDPOINT_URL is its address, and start again",
    ),
)
"""Patterns in messages of delta-rs: the first that is found tells what is wrong, and what to do."""

_BODY = re.compile(r"<\?xml.*?<Code>(.*?)</Code>(?:\s*<Message>(.*?)</Message>)?.*", re.DOTALL)


def is_address(where: str | Path) -> bool:
    """Whether a table lies in an object store, not in a directory."""
    return "://" in str(where)


def files_at(address: str, options: Mapping[str, str] | None = None) -> "pa_fs.FileSystem":
    """The objects below an address, as files of names relative to it.

    Parameters
    ----------
    address : like ``s3://bucket/table``.
    options : of the store, in the words of delta-rs; also taken from the environment.
    """
    import pyarrow.fs as pa_fs
    from deltalake.fs import DeltaStorageHandler  # takes a while to load

    return pa_fs.PyFileSystem(DeltaStorageHandler(address, dict(options or {})))


def plain(error: Exception) -> str:
    """What is wrong, what delta-rs says, and what to do, on one line; without colours, call stack, and XML."""
    said = re.split(r"\n\s+0: ", str(error))[0]
    said = re.sub(r"\s*(?:\x1b\[\d+m)?↳(?:\x1b\[0m)?\s*", ": ", said)
    for pattern, wrong, remedy in MEANINGS:
        if re.search(pattern, said):
            return f"{wrong} ({_on_a_line(said)}); {remedy}"
    return _on_a_line(said)


def _on_a_line(said: str) -> str:
    return " ".join(_BODY.sub(r"\1: \2", said).split())
