"""pydantic's verdict on a YAML file -> findings that show the place and the nearest valid key."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from broker._hiding import hidden, is_secret
from broker._yaml import Document, Place
from broker.findings import Finding, did_you_mean, in_order

KIND = "kind"
"""The key that tells of which kind a mapping is, where there are several."""


class Strict(BaseModel):
    """What a person writes: no key too many, no value bent into another type, no infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def given_path(value: Any) -> Any:
    """A path of what a person writes; anything else as it is, to be refused."""
    return Path(value).expanduser() if isinstance(value, str) and value else value


GivenPath = Annotated[Path, BeforeValidator(given_path)]
"""A path as a person writes it."""


def setting_text(value: Any) -> Any:
    """Spark and Kafka take their settings as text: ``true``, ``4``."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def findings_of(document: Document, model: type[BaseModel], error: ValidationError) -> list[Finding]:
    """A finding per error; none for a missing key where the unknown key beside it must be that one, misspelt."""
    details = error.errors(include_url=False)
    unknown = [_place(document.data, each) for each in details if each["type"] == "extra_forbidden"]
    found = []
    for each in details:
        place = _place(document.data, each)
        if each["type"] in ("missing", "union_tag_not_found"):
            beside = [str(other[-1]) for other in unknown if other[:-1] == place[:-1]]
            if not any(did_you_mean(misspelt, [str(place[-1])]) for misspelt in beside):
                found.append(_missing(document, place))
        elif each["type"] == "extra_forbidden":
            keys = sorted(_keys(model, each["loc"][:-1]))
            hint = did_you_mean(str(place[-1]), keys, f"the keys here are {', '.join(keys)}")
            found.append(document.at(place, f"unknown key {str(place[-1])!r}", hint, key=True))
        else:
            found.append(document.at(place, _message(place, each)))
    return in_order(found)


def _place(data: Any, error: ErrorDetails) -> Place:
    """Where in the file; pydantic also names the chosen kind of a mapping that may be of several kinds."""
    place: list[str | int] = []
    here = data
    for part in error["loc"]:
        if isinstance(here, Mapping) and part not in here and part == here.get(KIND):
            continue
        place.append(part)
        here = _inner(here, part)
    return (*place, KIND) if error["type"].startswith("union_tag") else tuple(place)


def _inner(here: Any, part: str | int) -> Any:
    try:
        return here[part]
    except (LookupError, TypeError):
        return None


def _missing(document: Document, place: Place) -> Finding:
    where = f"{_dotted(place[:-1])} lacks the key" if place[:-1] else "the file lacks the key"
    return document.at(place[:-1], f"{where} {str(place[-1])!r}", key=bool(place[:-1]))


def _dotted(place: Place) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(words).lstrip(".")


def _message(place: Place, error: ErrorDetails) -> str:
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("model_type", "model_attributes_type"):
        text = "must be a mapping of keys to values"
    elif error["type"] == "union_tag_invalid":
        text = f"must be one of {error['ctx']['expected_tags']}, not {error['ctx']['tag']!r}"
    for before, after in _PLAIN_WORDS:
        text = text.replace(before, after)
    given = error["input"]
    if not isinstance(given, str | int | float) or error["type"] == "value_error" or any(map(_is_secret, place)):
        told = ""
    else:
        told = hidden(f", not {given!r}")
    return f"{_dotted(place)}: {text[:1].lower()}{text[1:]}{told}"


def _is_secret(key: str | int) -> bool:
    return is_secret(str(key))


_PLAIN_WORDS = (
    ("Input should be a valid ", "must be a "),
    ("Input should be", "must be"),
    ("a integer", "a whole number"),
    ("a string", "text"),
    ("a boolean", "true or false"),
    ("List should have", "the list must have"),
    ("Dictionary should have", "there must be"),
    (" after validation", ""),
    ("String should have", "the text must have"),
)


def _keys(model: type[BaseModel], loc: Sequence[str | int]) -> Iterator[str]:
    """The keys that the mapping at this place of pydantic's may have."""
    models = [model]
    for part in loc:
        if isinstance(part, str):
            inner = [m for owner in models for m in _models(_annotation(owner, part))]
            models = inner or [m for m in models if part in get_args(_annotation(m, KIND))] or models
    for each in models:
        yield from (field.alias or name for name, field in each.model_fields.items())


def _annotation(model: type[BaseModel], key: str) -> Any:
    return next((field.annotation for name, field in model.model_fields.items() if key in (name, field.alias)), None)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
