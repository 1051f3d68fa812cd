"""What may be a password, in a file that a person wrote, is not shown with what is wrong with the file."""

import re
from collections.abc import Iterator

_NAME = r"pass|pas+w|pwd|secret|token|jaas|credential|[._]key|key\.pem|oauthbearer\.config"
_SECRET = re.compile(_NAME, re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:(?:{_NAME})[\w.-]{{0,60}}[\"']?\s*:|(?:^|[{{,])\s*pas+w\w{{0,60}}[\"']?\s*:?)\s*", re.IGNORECASE
)
_PLACE = re.compile(r"\{\s*(?:env|file)\s*:[^,{}]*\}")
_PLACE_BELOW = re.compile(r"\s*(?:env|file)\s*:.*")
_LOGIN = re.compile(r"(?<=://)[^/\s@]*(?=@)")
_MARK = re.compile(r"\S")


def is_secret(name: str) -> bool:
    """Whether what has this name may be a password, a key or the like."""
    return bool(_SECRET.search(name))


def hidden(text: str) -> str:
    """The same text with asterisks for the values of names that may be secret, and for logins in addresses.

    A value ends with its line, or with the lines below that are indented further: where a file is no YAML, nothing
    tells better where it ends. Where a password is found (``{env: NAME}``) is shown.
    """
    return _LOGIN.sub(lambda login: _stars(login[0]), "\n".join(_lines(text)))


def _lines(text: str) -> Iterator[str]:
    owner: int | None = None  # indentation of the line whose value may go on below
    for line in text.split("\n"):
        content = line.lstrip()
        indentation = len(line) - len(content)
        if owner is not None and (not content or indentation > owner or content.startswith("-")):
            yield line if _PLACE_BELOW.fullmatch(line) else _stars(line)
            continue
        start = _secret_from(line)
        owner = None if start is None else indentation
        yield line if start is None else line[:start] + _stars(line[start:])


def _secret_from(line: str) -> int | None:
    """Where the line begins to be secret; None where it doesn't."""
    named = _NAMED.search(line)
    while named and (place := _PLACE.match(line, named.end())):
        named = _NAMED.search(line, place.end())
    return named.end() if named else None


def _stars(text: str) -> str:
    return _MARK.sub("*", text)
