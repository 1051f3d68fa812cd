"""Errors about the world; errors about one alert are data and go to the dead-letter."""


class WrongInputError(Exception):
    """The caller gave something that can't be used; the message says what, what was expected, and what to do."""


class RunFailedError(Exception):
    """A run, or a check, failed; the message says why."""


class RunDirectoryError(WrongInputError):
    """The run's directory can't be used."""


class JavaMissingError(WrongInputError):
    """Spark needs Java and finds none."""


class LedgerError(RunFailedError):
    """The ledger can't be read, or doesn't balance."""


class StreamStoppedError(RunFailedError):
    """The streaming query failed."""


class TableError(RunFailedError):
    """The annotation table can't be read or written."""


class KafkaFailedError(RunFailedError):
    """Kafka refused something, or doesn't answer; the message says which broker and topic, and what to do."""
