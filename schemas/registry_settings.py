"""How a schema registry is reached."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RegistrySettings:
    """What `schemas.remote_registry.RemoteRegistry` needs. The password shows in no message and no repr.

    Parameters
    ----------
    url : ``https://host:port/path`` of the registry, without a user's name or password.
    username, password : for HTTP basic authentication; both or neither.
    ca_file : PEM file of the authorities that sign the registry's certificate; without it the file in the environment
        variable ``SSL_CERT_FILE``, or else those that Mozilla trusts.
    timeout_seconds : the most that one round of look-ups may take, however many ids are asked for.
    retry_after_seconds : how long a failure is remembered before the registry is asked again.
    cache_directory : where learned schemas are kept for the next process; None for nowhere.

    Raises
    ------
    ValueError
        If one of them can't be used.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 5.0
    retry_after_seconds: float = 30.0
    cache_directory: Path | None = None

    def __post_init__(self) -> None:
        if "@" in self.url:
            raise ValueError("the registry's URL has an @: give the user's name and password apart from it")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "," in self.url:
            raise ValueError(f"the registry's URL is {self.url!r}, expected one such as 'https://host:8081'")
        if (self.username is None) != (self.password is None):
            raise ValueError("the registry's `username` and `password` go together: give both, or neither")
        if not (self.timeout_seconds > 0 and self.retry_after_seconds > 0):
            raise ValueError(
                f"timeout_seconds is {self.timeout_seconds} and retry_after_seconds {self.retry_after_seconds}, "
                "expected more than 0"
            )
