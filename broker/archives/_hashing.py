"""The SHA-256 of a file, read a piece at a time."""

import hashlib
from pathlib import Path


def file_hash(path: Path) -> str:
    """Its hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
