"""SQL text -> syntax tree. Nothing is run, and functions stay names: `functions` tells which of them are allowed."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

MAX_CHARACTERS = 100_000
Span = tuple[int, int]


@dataclass(frozen=True)
class Problem:
    """Something wrong with a condition, or doubtful.

    Parameters
    ----------
    message : what it is.
    span : first and last (exclusive) character in the condition.
    hint : what would be right; may be empty.
    """

    message: str
    span: Span
    hint: str = ""


class SyntaxProblem(Exception):  # noqa: N818 - it carries a Problem, and never leaves this package
    """A condition that isn't one SQL expression."""

    def __init__(self, message: str, span: Span, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(message, span, hint)


class _Conditions(DuckDB):
    """DuckDB's expressions without its functions: each call but CAST keeps the name that was written."""

    class Parser(DuckDBParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CAST": DuckDBParser.FUNCTION_PARSERS["CAST"]}


ONE_EXPRESSION = "a condition is one expression that is true or false for an alert, like pSNIa > 0.8"

_NOT_EXPRESSIONS = {
    TokenType.SELECT: "SELECT isn't allowed",
    TokenType.WHERE: "WHERE isn't needed",
    TokenType.WITH: "WITH isn't allowed",
    TokenType.SEMICOLON: "`;` isn't allowed",
    TokenType.OVER: "window functions (OVER) aren't allowed",
    TokenType.JOIN: "JOIN isn't allowed",
    TokenType.GROUP_BY: "GROUP BY isn't allowed",
    TokenType.ORDER_BY: "ORDER BY isn't allowed",
    TokenType.INSERT: "INSERT isn't allowed",
    TokenType.UPDATE: "UPDATE isn't allowed",
    TokenType.DELETE: "DELETE isn't allowed",
    TokenType.DROP: "DROP isn't allowed",
    TokenType.CREATE: "CREATE isn't allowed",
    TokenType.PARAMETER: "parameters aren't allowed",
    TokenType.PLACEHOLDER: "parameters aren't allowed",
}


def parse(text: str) -> exp.Expr:
    """The syntax tree of a condition.

    Raises
    ------
    SyntaxProblem
        If the text isn't one SQL expression.
    """
    tokens = tokenize(text)
    for token in tokens:
        if token.token_type in _NOT_EXPRESSIONS:
            raise SyntaxProblem(_NOT_EXPRESSIONS[token.token_type], (token.start, token.end + 1), ONE_EXPRESSION)
    try:
        parser = _Conditions().parser(error_level=ErrorLevel.IMMEDIATE)
        tree = parser.parse_into(exp.Condition, tokens, text)[0]
    except ParseError as error:
        raise _explain(error, tokens) from None
    except RecursionError:
        raise SyntaxProblem("nested too deeply", (0, len(text))) from None
    if tree is None:
        raise SyntaxProblem("empty", (0, len(text)), ONE_EXPRESSION)
    return tree


def tokenize(text: str) -> list[Token]:
    """The words of a condition.

    Raises
    ------
    SyntaxProblem
        If it is empty or too long, holds a comment, or a quote isn't closed.
    """
    if not text.strip():
        raise SyntaxProblem("empty", (0, len(text)), ONE_EXPRESSION)
    if len(text) > MAX_CHARACTERS:
        raise SyntaxProblem(f"{len(text):,} characters long; at most {MAX_CHARACTERS:,} are taken", (0, 1))
    _refuse_comments_and_open_quotes(text)
    try:
        return list(_Conditions().tokenize(text))
    except SqlglotError as error:
        raise SyntaxProblem(f"not SQL: {error}", (0, len(text))) from None


_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def _refuse_comments_and_open_quotes(text: str) -> None:
    # A comment in a folded YAML text would swallow the rest of the condition, and alerts would match that shouldn't.
    bare = _QUOTED.sub(lambda found: "x" * len(found.group()), text)
    for found in re.finditer(r"--|/\*|['\"]", bare):
        if found.group() in "'\"":
            raise SyntaxProblem(
                f"the quote {found.group()} isn't closed", found.span(), "write two of them for one inside a text"
            )
        hint = "put it into `description`, or into a YAML comment (#) above; write a - (-b) for a minus of a negative"
        raise SyntaxProblem("comments aren't allowed in a condition", found.span(), hint)


def _explain(error: ParseError, tokens: list[Token]) -> SyntaxProblem:
    """Turn around what sqlglot tells: the line and the last column of the word at which it gave up."""
    first = error.errors[0]
    at = next(
        (k for k, token in enumerate(tokens) if (token.line, token.col) == (first.get("line"), first.get("col"))),
        len(tokens) - 1,
    )
    token = tokens[at]
    span = (token.start, token.end + 1)
    description = first.get("description") or ""
    if "Required keyword" in description:
        return _missing_operand(tokens, at)
    if description.startswith("Expecting"):
        return SyntaxProblem(f"{description.removeprefix('Expecting ')} is missing after `{token.text}`", span)
    if token.text == "#":
        return SyntaxProblem("comments aren't allowed in a condition", span, "put it into `description`")
    return SyntaxProblem(
        f"`{token.text}` isn't expected here", span, "is an AND, an OR or an operator missing before it?" if at else ""
    )


_NEEDS_A_VALUE = re.compile(r"and|or|not|[-+*/%^=<>!(]+|\*\*|is|between|like|ilike|in", re.IGNORECASE)


def _missing_operand(tokens: list[Token], at: int) -> SyntaxProblem:
    # sqlglot notices only once it has read on; the word that lacks its value is at hand, or the first of all.
    token = tokens[at] if _NEEDS_A_VALUE.fullmatch(tokens[at].text) else tokens[0]
    side = "before" if token is tokens[0] and len(tokens) > 1 and token.text.lower() in ("and", "or") else "after"
    return SyntaxProblem(f"a value is missing {side} `{token.text}`", (token.start, token.end + 1))


def span_of(node: exp.Expr) -> Span | None:
    """First and last (exclusive) character of what the node was read from, as far as that is known."""
    known = [(int(n.meta["start"]), int(n.meta["end"]) + 1) for n in node.walk() if "start" in n.meta]
    return (min(start for start, _ in known), max(end for _, end in known)) if known else None
