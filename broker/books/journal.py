"""The books line by line: what each micro-batch added to the ledger, for whoever looks a difference up."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from broker._atomic import naming
from broker.books.ledger import Page
from broker.errors import LedgerError

TAIL_BYTES = 16 * 2**20
"""Longer than any page by far: one with a thousand partitions has some 0.2 MB."""


def append(path: Path, page: Page) -> None:
    """Add a page; it counts once the ledger has its micro-batch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(page.to_json()) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Iterator[Page]:
    """The pages, oldest first; a last line that was cut off is none.

    Raises
    ------
    LedgerError
        If a line isn't a page.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _page(line, f"line {number}", path)


def discard_uncommitted(path: Path, last_batch: Mapping[str, int]) -> None:
    """Remove the pages of micro-batches that the ledger hasn't got, and a line that was cut off.

    Only the end is looked at: pages are written in the order in which the ledger takes them in, one ahead at most.

    Raises
    ------
    LedgerError
        If a line there isn't a page.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().splitlines(keepends=True)
        kept = size
        while lines and not _counts(lines[-1], last_batch, path):
            kept -= len(lines.pop())
        if kept < size:
            file.truncate(kept)
            os.fsync(file.fileno())


def _counts(line: bytes, last_batch: Mapping[str, int], path: Path) -> bool:
    if not line.endswith(b"\n"):
        return False
    page = _page(line, "the end", path)
    return page.number <= last_batch.get(page.stream, -1)


def _page(line: bytes, where: str, path: Path) -> Page:
    try:
        return Page.from_json(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LedgerError(f"{where} of {path} isn't a page of the books: {error!r}") from None
