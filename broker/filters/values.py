"""Which values does a filter save under a name? The mapping ``values`` of its file, checked from the top down."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from broker._yaml import Document
from broker.filters._parse import SyntaxProblem, parse
from broker.filters._saved import Names, Saved
from broker.filters.check import check_value
from broker.filters.definition import SavedValue
from broker.filters.functions import NAMES, OTHER_NAMES
from broker.filters.kinds import Columns
from broker.findings import Finding

KEY = "values"
MAX_LENGTH = 64
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MAX_LENGTH - 1}}}")


@dataclass(frozen=True)
class Values:
    """The values of a file.

    Parameters
    ----------
    names : what the condition may use; the wrong ones among them stand for NULL.
    saved : those that are right, in the order of the file.
    uses : names in lower case that others of them use.
    findings : what is wrong with the others.
    """

    names: Names
    saved: tuple[SavedValue, ...]
    uses: frozenset[str]
    findings: tuple[Finding, ...]


def as_written(document: Document) -> dict[Any, object]:
    """The mapping as it is written: of a number, or of true and false, its text."""
    given = document.data.get(KEY)
    if not isinstance(given, dict):
        return {}
    plain = {name: document.scalar((KEY, str(name))) for name, value in given.items() if isinstance(value, int | float)}
    return {name: plain.get(name) or value for name, value in given.items()}


def read_values(document: Document, schema: pa.Schema) -> Values:
    """Check the values of a file; each may use those above it.

    Parameters
    ----------
    document : the filter's file.
    schema : the annotation columns that they may use.
    """
    given = {n: text for n, text in as_written(document).items() if isinstance(n, str) and isinstance(text, str)}
    known: list[Saved] = []
    saved: list[SavedValue] = []
    uses: set[str] = set()
    findings: list[Finding] = []
    for name, text in given.items():
        flaw = _flaw(name, schema, known)
        if flaw:
            findings.append(document.at((KEY, name), *flaw, key=True))
            continue
        later = [other for other in given if other not in {each.name for each in known}]
        checked = check_value(text, schema, Names.of(known, later))
        known.append(Saved(name, checked.term, checked.extent))
        uses |= checked.uses
        findings += [document.within((KEY, name), p.span, p.message, p.hint) for p in checked.problems]
        if checked.term:
            saved.append(SavedValue(name, text, checked.term))
    return Values(Names.of(known), tuple(saved), frozenset(uses), tuple(findings))


def _flaw(name: str, schema: pa.Schema, known: Sequence[Saved]) -> tuple[str, str] | None:
    """Why a value can't have this name, and what to do."""
    if not _NAME.fullmatch(name):
        hint = f"use letters, digits and _, a letter or _ first, at most {MAX_LENGTH} in all"
        return f"{name!r} can't be the name of a value", hint
    lower = name.lower()
    if column := Columns(schema).find(name):
        return f"{name!r} is the name of a column" + f" ({column})" * (column != name), "give the value another name"
    if lower in (*NAMES, *OTHER_NAMES):
        return f"{name!r} is the name of a function", "give the value another name"
    if lower in {each.name.lower() for each in known}:
        return f"there is a value {name!r} already", "names must differ in more than upper and lower case"
    return None if _is_free(name) else (f"{name!r} is a word of SQL", "give the value another name")


def _is_free(name: str) -> bool:
    try:
        tree = parse(name)
    except SyntaxProblem:
        return False
    return isinstance(tree, exp.Column) and tree.name == name
