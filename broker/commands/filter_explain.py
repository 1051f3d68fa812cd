"""`boreal filter explain`: why an alert passes a filter, or not."""

import json as json_format
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from broker.commands import _over
from broker.commands._alert_view import plain
from broker.commands._packet import Record
from broker.errors import WrongInputError
from broker.filters.kinds import Kind

if TYPE_CHECKING:  # the engines take a second to load; other commands don't wait for them
    from broker.backtest.alerts import Alerts
    from broker.filters.definition import Filter
    from broker.filters.explain import Explanation, Part, Place, Seen

HELP = """Tell why an alert passes a filter, or not: each part of its condition, what came out, and the values it saw.

A part is true, false, or unknown, where a value that it needs is NULL; only what is true passes. The alert is a packet,
or an alertId or diaSourceId in the annotations that --in names.

Examples: `boreal filter explain mine.yaml --alert packet.avro`,
`boreal filter explain mine.yaml --alert 170112044540887132 --in results`.
"""

WHO = ["survey", "alertId", "diaSourceId", "objectId", "mjdTai"]
STYLES = {True: "green", False: "red", None: "yellow"}
WORDS = {True: "true", False: "false", None: "unknown"}
LIST_MOST = 5


def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A filter.")],
    alert: Annotated[
        str,
        typer.Option(metavar="ID_OR_PACKET", help="A packet, or ARCHIVE!MEMBER; or an alertId or diaSourceId."),
    ],
    where: Annotated[
        str | None,
        typer.Option("--in", metavar="WHERE", help="Where to look an id up: results, annotations, or packets."),
    ] = None,
    record: Record = 0,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the condition as a tree."""
    from broker.filters.explain import explain

    (wanted, *others) = _over.read([file], bundle) or (None,)
    if wanted is None or others:
        raise WrongInputError(f"{file} holds {len(others) + 1 if wanted else 0} filters; give the file of one")
    row = _row(wanted, alert, where, record, bundle)
    made = explain(wanted, row)
    if json:
        typer.echo(json_format.dumps(_as_json(wanted, row, made), indent=2, ensure_ascii=False))
    else:
        _print(wanted, row, made)


def _row(wanted: "Filter", alert: str, where: str | None, record: int, bundle: Path | None) -> pa.Table:
    """The alert that is meant, as a table of one row."""
    if where is not None:
        if not alert.lstrip("-").isdecimal():
            raise WrongInputError(f"--in looks an alertId or a diaSourceId up, which {alert!r} isn't")
        return _look_up(int(alert), _over.sources([where], bundle), where, _columns(wanted))
    from broker.commands._packet import annotated
    from classifiers.bundle import Bundle, default_bundle_path

    if alert.isdecimal() and not Path(alert).exists():
        raise WrongInputError(f"to look alert {alert} up, say where with --in: the results of a run, or annotations")
    return annotated(Path(alert), Bundle.load(bundle or default_bundle_path()), record)


def _columns(wanted: "Filter") -> list[str]:
    from broker.filters.needed import columns_needed, columns_of

    saved = (name for value in wanted.values for name in columns_of(value.term))
    return list(dict.fromkeys([*WHO, *sorted(columns_needed(wanted)), *sorted(saved)]))


def _look_up(number: int, alerts: "list[Alerts]", where: str, columns: list[str]) -> pa.Table:
    """The alert of this id; its source's id counts where an alert's own id is that of many."""
    total = sum(each.total or 0 for each in alerts) or None
    found: list[pa.Table] = []
    with _over.progress(total) as on_piece:
        for each in alerts:
            for piece in each.pieces(WHO):
                if _of_id(number, piece.rows).num_rows:
                    found.append(_read_again(number, each, piece.number, columns))
                on_piece(piece.rows.num_rows)
    rows = pa.concat_tables(found) if found else None
    if rows is None:
        raise WrongInputError(f"no alert of {where} has the alertId or diaSourceId {number}")
    exact = rows.filter(pc.equal(rows["diaSourceId"], number))
    rows = exact if exact.num_rows else rows
    if len(set(zip(rows["survey"].to_pylist(), rows["diaSourceId"].to_pylist(), strict=True))) > 1:
        known = ", ".join(map(str, rows["diaSourceId"].to_pylist()[:LIST_MOST]))
        raise WrongInputError(f"{rows.num_rows:,} alerts have the alertId {number}; give a diaSourceId: {known} ...")
    return rows.slice(0, 1)


def _of_id(number: int, rows: pa.Table) -> pa.Table:
    return rows.filter(pc.or_(pc.equal(rows["alertId"], number), pc.equal(rows["diaSourceId"], number)))


def _read_again(number: int, alerts: "Alerts", piece: int, columns: list[str]) -> pa.Table:
    missing = [name for name in columns if name not in alerts.columns]
    if missing:
        what = f"{alerts.name} has no column {missing[0]}, which the filter reads"
        raise WrongInputError(f"{what}: another model made these annotations; name its bundle with --bundle")
    (again,) = alerts.pieces(columns, [piece])
    return _of_id(number, again.rows)


def _print(wanted: "Filter", row: pa.Table, made: "Explanation") -> None:
    console = Console(highlight=False)
    who = row.select(WHO).to_pylist()[0]
    verdict = "passes" if made.passes else "doesn't pass"
    title = f"{who['survey']} alert {who['alertId']} {verdict} {wanted.name}"
    console.print(plain(title), style=f"bold {STYLES[made.passes]}")
    if made.error:
        console.print(plain(f"the filter can't be evaluated: {made.error}"), style="red")
        return
    tree = Tree(_line(made.condition, "condition: "))
    _grow(tree, made.condition)
    console.print(tree)
    if made.regions:
        console.print(_places(made.regions))
    if made.values:
        saved = Tree("values")
        for each, value in zip(made.values, wanted.values, strict=True):
            saved.add(Text.assemble(plain(f"{each.text} is {' '.join(value.expression.split())}: "), _shown(each)))
        console.print(saved)
    for note in _notes(wanted, made):
        console.print(plain(note))


def _grow(tree: Tree, part: "Part") -> None:
    for below in part.parts:
        branch = tree.add(_line(below))
        _grow(branch, below)
    for seen in part.seen:
        tree.add(_value(seen), style="dim")


def _line(part: "Part", before: str = "") -> Text:
    """What came out, and of what."""
    text = {"AND": "all of these (AND)", "OR": "one of these (OR)", "NOT": "not this (NOT)"}.get(part.joins, part.text)
    return Text.assemble(before, (f"{WORDS[part.outcome]:8}", STYLES[part.outcome]), plain(text))


def _value(seen: "Seen") -> Text:
    return Text.assemble(plain(f"{seen.text} = "), (_shown(seen), STYLES[None] if seen.value is None else ""))


def _shown(seen: "Seen") -> str:
    if seen.value is None:
        return "NULL"
    if isinstance(seen.value, bool):
        return str(seen.value).upper()
    return f"{seen.value:.10g}" if seen.kind is Kind.FLOAT else str(plain(repr(seen.value)))


def _places(places: "tuple[Place, ...]") -> Tree:
    tree = Tree("regions: the alert must lie in one of them")
    for place in places:
        tree.add(Text.assemble((f"{_whether(place):8}", STYLES[place.inside]), plain(f"{place.text}{_how_far(place)}")))
    return tree


def _whether(place: "Place") -> str:
    return "unknown" if place.inside is None else "inside" if place.inside else "outside"


def _how_far(place: "Place") -> str:
    return f", {place.outside_by:.6g} degrees away" if place.outside_by else ""


def _notes(wanted: "Filter", made: "Explanation") -> Iterator[str]:
    """What the tree doesn't say."""
    if made.condition.outcome is None:
        yield "A condition that is unknown doesn't pass: something that it needs is NULL for this alert."
    limits = wanted.limits
    told = {"perNight": limits.per_night, "perObject": limits.per_object, "cooldownDays": limits.cooldown_days}
    names = ", ".join(f"{name} {value:g}" for name, value in told.items() if value is not None)
    if names:
        yield f"Limits ({names}): one alert can't tell whether they hold it back; that depends on what was sent before."


def _as_json(wanted: "Filter", row: pa.Table, made: "Explanation") -> dict[str, Any]:
    who = row.select(WHO).to_pylist()[0]
    ids = {name: str(who[name]) for name in ("alertId", "diaSourceId")}
    return {
        "filter": {**wanted.stamp, "sha256": wanted.sha256},
        "alert": {**who, **ids},
        "passes": made.passes,
        "error": made.error or None,
        "condition": _part_json(made.condition),
        "regions": [
            {"region": place.text, "inside": place.inside, "degreesOutside": place.outside_by} for place in made.regions
        ],
        "values": [_seen_json(seen) for seen in made.values],
        "limitsNotKnown": bool(wanted.limits),
    }


def _part_json(part: "Part") -> dict[str, Any]:
    return {
        "text": part.text,
        "outcome": part.outcome,
        "joins": part.joins or None,
        "parts": [_part_json(below) for below in part.parts],
        "seen": [_seen_json(seen) for seen in part.seen],
    }


def _seen_json(seen: "Seen") -> dict[str, Any]:
    """Whole numbers are texts, since JSON readers round them to 53 bits."""
    whole = seen.kind is Kind.INTEGER and seen.value is not None
    return {"text": seen.text, "kind": seen.kind.value, "value": str(seen.value) if whole else seen.value}
