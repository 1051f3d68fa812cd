"""How many messages a micro-batch may take, so that their bytes stay within bounds."""

from dataclasses import dataclass

TOO_LARGE = 1.5
TOO_SMALL = 1 / 3
"""A mean size that differs from the assumed one by more than these factors changes the number of messages."""


@dataclass
class Throttle:
    """A number of messages, from the mean size of those that came.

    Spark takes a number of messages, not of bytes, and takes it when the query starts.

    Parameters
    ----------
    max_messages, max_bytes : the most of each that a micro-batch may have.
    mean_bytes : what is known of the messages' size; None for nothing.
    """

    max_messages: int
    max_bytes: int
    mean_bytes: float | None = None

    @property
    def messages(self) -> int:
        """The most messages that a micro-batch may take now, at least one."""
        if not self.mean_bytes:
            return self.max_messages
        return max(1, min(self.max_messages, int(self.max_bytes / self.mean_bytes)))

    def adapt(self, messages: int, size: int) -> bool:
        """Take a micro-batch's size in; say whether the number of messages is another now.

        Parameters
        ----------
        messages, size : of the micro-batch, and its bytes.
        """
        before = self.messages
        if not messages or not size:
            return False
        mean = size / messages
        if self.mean_bytes and TOO_SMALL < mean / self.mean_bytes < TOO_LARGE:
            return False
        self.mean_bytes = mean
        return self.messages != before
