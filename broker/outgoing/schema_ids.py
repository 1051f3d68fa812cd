"""The numbers that stand in front of Avro messages, and the schemas that they stand for."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from broker._atomic import write_text
from broker.outgoing.destinations import IdOf

Register = Callable[[str, str], int]
"""Tells a registry the subject and the schema of a topic's messages; gives the number."""


def local_id(avro: str) -> int:
    """A number made from a schema: the first 31 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(avro.encode()).digest()[:4], "big") & 0x7FFFFFFF


def id_of(folder: Path, register: Register | None) -> IdOf:
    """What gives schemas their numbers.

    Each schema is kept as ``NUMBER.avsc`` in the folder, for subscribers to read with. A number that a registry gave is
    kept, too, so that a registry which is down later stops nothing.

    Parameters
    ----------
    folder : of the run's schemas.
    register : asks a registry; None to make numbers from the schemas.
    """
    given = folder / "registered.json"

    def number(topic: str, avro: str) -> int:
        if register is None:
            found = local_id(avro)
        else:
            known: dict[str, int] = json.loads(given.read_text(encoding="utf-8")) if given.exists() else {}
            name = f"{topic}-value {hashlib.sha256(avro.encode()).hexdigest()}"
            if name not in known:
                write_text(given, json.dumps(known | {name: register(f"{topic}-value", avro)}, indent=2) + "\n")
                known = json.loads(given.read_text(encoding="utf-8"))
            found = known[name]
        file = folder / f"{found}.avsc"
        if not file.exists():
            write_text(file, avro + "\n")
        return found

    return number
