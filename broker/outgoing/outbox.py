"""Messages that are decided on but not delivered yet.

A micro-batch's messages are written down before the ledger takes it in, and sent after. So what is in a subscriber's
topic is what the annotation table says was sent, whenever Boreal dies: before, the messages are dropped with the rest
of the micro-batch; after, they are sent at the next start, some perhaps a second time, under the same keys.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from broker._atomic import replacing
from broker.run_directory import RunDirectory

HEADERS = pa.map_(pa.utf8(), pa.binary())

OUTGOING = pa.schema(
    [
        pa.field("topic", pa.utf8(), nullable=False),
        pa.field("key", pa.utf8(), nullable=False),
        pa.field("value", pa.large_binary(), nullable=False),
        pa.field("headers", HEADERS, nullable=False),
    ]
)
"""A message for Kafka a row, in the order of sending."""

Send = Callable[[pa.Table], Mapping[str, int]]
"""Sends rows of `OUTGOING` and returns when Kafka has all of them; gives the number of messages by topic."""


@dataclass(frozen=True)
class Waiting:
    """Messages of a micro-batch that aren't delivered yet: how many, and since when [s since 1970, UTC]."""

    messages: int
    since: float


@dataclass(frozen=True)
class Outbox:
    """The outbox of a run's directory.

    What was just put is sent from memory the first time; its file is for a later life, and for a second time.
    """

    run: RunDirectory
    _at_hand: dict[str, pa.Table] = field(default_factory=dict, repr=False)
    _sizes: dict[str, int] = field(default_factory=dict, repr=False)

    def put(self, stem: str, messages: pa.Table) -> None:
        """Write a micro-batch's messages down; put again, it replaces them."""
        if not messages.num_rows:
            return
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            replacing(self.run.outbox / f"{stem}.arrow") as path,
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, OUTGOING, options=options) as writer,
        ):
            writer.write_table(messages, max_chunksize=1000)
        self._at_hand[stem] = messages
        self._sizes[stem] = messages.num_rows

    def __len__(self) -> int:
        return sum(1 for _ in self.run.outbox.glob("part-*.arrow"))

    def waiting(self) -> list[Waiting]:
        """What is there, a micro-batch each; it may be asked for while another thread delivers."""
        found = []
        for file in self.run.outbox.glob("part-*.arrow"):
            with suppress(FileNotFoundError):  # it was delivered meanwhile
                found.append(Waiting(self._size(file), file.stat().st_mtime))
        return found

    def _size(self, file: Path) -> int:
        if file.stem not in self._sizes:
            with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as reader:
                self._sizes[file.stem] = sum(reader.get_batch(k).num_rows for k in range(reader.num_record_batches))
        return self._sizes[file.stem]

    def deliver(self, send: Send) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Send what is there, oldest first; what is sent goes out of the box.

        Parameters
        ----------
        send : raises if Kafka doesn't take a message; the rest then stays for the next time.

        Yields
        ------
        stem, counts : the micro-batch, and its messages by topic.
        """
        for file in sorted(self.run.outbox.glob("part-*.arrow"), key=lambda file: (file.stat().st_mtime_ns, file.name)):
            messages = self._taken(file)
            self._sizes[file.stem] = messages.num_rows
            counts = send(messages)
            file.unlink()
            self._sizes.pop(file.stem, None)
            yield file.stem, counts

    def _taken(self, file: Path) -> pa.Table:
        if file.stem in self._at_hand:
            return self._at_hand.pop(file.stem)
        with pa.OSFile(str(file), "rb") as source, pa.ipc.open_file(source) as reader:
            return reader.read_all()
