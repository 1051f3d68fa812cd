"""A YAML file read with the place of each of its keys and values, so that faults can be shown where they stand."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from broker._hiding import hidden
from broker.findings import Finding

MAX_BYTES, MAX_DEPTH = 250_000, 20

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What a character beyond U+FFFF becomes where it is escaped as in JSON, in two halves."""

Place = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists."""


class YamlError(Exception):
    """A file that can't be read as a YAML mapping.

    Parameters
    ----------
    finding : what is wrong where.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Document:
    """A YAML mapping and where its parts stand.

    Parameters
    ----------
    file : the path as it was given.
    text : the whole file.
    data : the mapping as plain Python values.
    keys, values : the nodes of keys and of values, by their place.
    """

    file: str
    text: str
    data: dict[str, Any]
    keys: dict[Place, Node] = field(repr=False)
    values: dict[Place, Node] = field(repr=False)

    def scalar(self, place: Place) -> str | None:
        """The value as it is written (``1.10`` is not ``1.1``), None where there is no plain value."""
        node = self.values.get(place)
        return node.value if isinstance(node, ScalarNode) else None

    def at(self, place: Place, message: str, hint: str = "", *, key: bool = False) -> Finding:
        """A finding about the value there, or about its key; about what holds it, where there is none."""
        nodes = self.keys if key else self.values
        while place and place not in nodes:
            place = place[:-1]
            nodes = self.values
        node = nodes[place]
        start, end = node.start_mark, node.end_mark
        # What takes several lines, or isn't there at all, is pointed at by its key.
        if not key and (end.line != start.line or end.index == start.index) and place in self.keys:
            node = self.keys[place]
            start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return self._finding(start.index, max(1, length), message, hint)

    def within(
        self, place: Place, span: tuple[int, int], message: str, hint: str = "", *, warning: bool = False
    ) -> Finding:
        """A finding about the characters ``span[0]`` to ``span[1]`` (exclusive) of a text value."""
        node = self.values[place]
        offsets = _offsets(node, self.text) if isinstance(node, ScalarNode) else None
        start, end = span
        if offsets is None:
            return self._finding(self._first_line(place), 1, message, hint, warning=warning)
        first = offsets[min(start, len(offsets) - 1)]
        last = offsets[min(max(start, end - 1), len(offsets) - 1)]
        return self._finding(first, last - first + 1, message, hint, warning=warning)

    def _first_line(self, place: Place) -> int:
        node = self.values[place]
        start: int = node.start_mark.index
        if not (isinstance(node, ScalarNode) and node.style in ("|", ">")):
            return start
        head = self.text.index("\n", start) + 1
        return head + len(self.text[head:]) - len(self.text[head:].lstrip())

    def _finding(self, index: int, length: int, message: str, hint: str, *, warning: bool = False) -> Finding:
        begin = self.text.rfind("\n", 0, index) + 1
        line = hidden(self.text)[begin:].split("\n", 1)[0]
        number = self.text.count("\n", 0, begin) + 1
        return Finding(self.file, message, number, index - begin + 1, hint, line, max(1, length), warning)


def read_document(path: Path) -> Document:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    YamlError
        If the file can't be read, isn't YAML, isn't a mapping, uses aliases, is nested too deeply, or
        escapes half a character.
    """
    file, text = str(path), _text(path)
    try:
        _refuse_what_is_odd(file, text)
        root = YAML(typ="safe", pure=True).compose(text)
        data = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise YamlError(_not_yaml(file, text, error)) from None
    if not isinstance(root, MappingNode):
        raise YamlError(_not_a_mapping(file, text, root))
    keys: dict[Place, Node] = {}
    values: dict[Place, Node] = {(): root}
    for place, key, value in _walk(root, ()):
        values[place] = value
        if key is not None:
            keys[place] = key
    return Document(file, text, data, keys, values)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise YamlError(Finding(str(path), f"can't be read: {error.strerror}")) from None
    if len(content) > MAX_BYTES:
        told = f"{size:,}" if size > MAX_BYTES else f"more than {MAX_BYTES:,}"
        raise YamlError(Finding(str(path), f"{told} bytes long; such a file has at most {MAX_BYTES:,}"))
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise YamlError(Finding(str(path), f"not UTF-8 text (byte {error.start})")) from None


def _refuse_what_is_odd(file: str, text: str) -> None:
    """Aliases and depth can make a small file cost without bound; half a character can't be written anywhere."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if isinstance(event, AliasEvent):
            raise YamlError(_odd(file, text, event, "YAML aliases (*name) aren't used here", "write the value out"))
        if isinstance(event, ScalarEvent) and _SURROGATE.search(event.value):
            hint = "write the character itself, or \\U and eight digits"
            raise YamlError(_odd(file, text, event, "a \\u escape is half of a character", hint))
        if depth > MAX_DEPTH:
            raise YamlError(_odd(file, text, event, "nested too deeply", ""))


def _odd(file: str, text: str, event: Event, message: str, hint: str) -> Finding:
    mark = event.start_mark
    return Finding(file, message, mark.line + 1, mark.column + 1, hint, hidden(text).split("\n")[mark.line])


def _not_yaml(file: str, text: str, error: Exception) -> Finding:
    mark = (error.problem_mark or error.context_mark) if isinstance(error, MarkedYAMLError) else None
    if mark is None or not isinstance(error, MarkedYAMLError):
        return Finding(file, "not YAML: " + " ".join(str(error).split()))
    lines = hidden(text).split("\n")
    number = min(mark.line, len(lines) - 1)
    problem = re.sub(r""" with value ".*|(?<=tag) '.*""", "", error.problem or "", flags=re.DOTALL)
    while number > 0 and not lines[number].strip():
        number -= 1
    column = mark.column if number == mark.line else len(lines[number])
    return Finding(file, f"not YAML: {problem}", number + 1, column + 1, "", lines[number])


def _not_a_mapping(file: str, text: str, root: Node | None) -> Finding:
    expected = "expected keys with values, like `key: value`"
    if root is None:
        return Finding(file, "empty", hint=expected)
    line = hidden(text).split("\n")[root.start_mark.line]
    got = "a list" if isinstance(root, SequenceNode) else "a single value"
    return Finding(
        file, f"not a YAML mapping, but {got}", root.start_mark.line + 1, root.start_mark.column + 1, expected, line
    )


def _walk(node: Node, place: Place) -> Iterator[tuple[Place, Node | None, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            yield below, key, value
            yield from _walk(value, below)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), None, value
            yield from _walk(value, (*place, index))


_PLAIN = re.compile(r"\S")
_CHARACTER = {None: _PLAIN, "|": _PLAIN, ">": _PLAIN, "'": re.compile(r"'(')|\S"), '"': re.compile(r"\\([\"\\])|\S")}
"""What stands for one character that isn't white space, by YAML's ways of writing a text; group 1 is the character."""


def _offsets(node: ScalarNode, text: str) -> list[int] | None:
    """Where each character of a text value stands in the file; None where that can't be told (escapes).

    Folding changes white space only, so that the n-th other character of the value is the n-th of the source.
    """
    start, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">"):
        start = text.index("\n", start) + 1
    elif node.style in ("'", '"'):
        start += 1
    written = [(start + m.start(), m[m.lastindex or 0]) for m in _CHARACTER[node.style].finditer(text[start:end])]
    solid = [k for k, character in enumerate(node.value) if not character.isspace()]
    if [character for _, character in written[: len(solid)]] != [node.value[k] for k in solid]:
        return None
    found = {k: place for k, (place, _) in zip(solid, written, strict=False)}
    offsets, last = [], start - 1
    for k in range(len(node.value)):
        last = found.get(k, last + 1)
        offsets.append(last)
    return offsets or None
