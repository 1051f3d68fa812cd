"""Kinds of reasons for which packets become dead letters: few, whatever a packet holds, so that they can be counted."""

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

_KINDS = (
    ("empty", r"empty"),
    ("unknown framing", r"unknown framing"),
    ("unknown schema", r"unknown schema"),
    ("unknown survey", r"unknown survey"),
    ("truncated", r"truncated"),
    ("trailing bytes", r"trailing bytes"),
    ("missing field", r"missing field|.{0,80}: missing field"),
    ("too large", r"[\d,]+ bytes; expected at most|the container inflates|the container's records need more"),
    ("broken container", r"the container|the block|a block|in the block"),
    ("broken record", r"not a readable record"),
    ("damaged archive", r"a damaged"),
    ("unreadable file", r"can't be read"),
    ("wrong value", r"[a-z]+ [\w.]{1,20} alert: "),
    ("features failed", r"features failed"),
    ("classification failed", r"classify failed"),
)

OTHER = "other"

REASON_KINDS = (*(kind for kind, _ in _KINDS), OTHER)
"""Every kind that there is."""

_PATTERNS = tuple((kind, re.compile(pattern, re.DOTALL)) for kind, pattern in _KINDS)


def kind_of(reason: str) -> str:
    """The kind of a dead letter's reason."""
    return next((kind for kind, pattern in _PATTERNS if pattern.match(reason)), OTHER)


def count_kinds(reasons: pa.ChunkedArray) -> Counter[str]:
    """How many there are of each kind."""
    kinds: Counter[str] = Counter()
    for row in pc.value_counts(reasons).to_pylist():
        kinds[kind_of(row["values"])] += row["counts"]
    return kinds
