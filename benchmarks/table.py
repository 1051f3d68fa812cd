"""The figures for people: a table, or a line each where nobody watches a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure


def show(figures: Sequence[Figure], title: str, console: Console) -> None:
    """Print all figures under a title."""
    if console.is_terminal:
        console.print(_table(figures, title))
        return
    console.print(title)
    for figure in figures:
        console.print(_line(figure))


def _table(figures: Sequence[Figure], title: str) -> Table:
    table = Table("figure", title=title)
    for heading in ("value", "baseline"):
        table.add_column(heading, justify="right")
    table.add_column("of")
    for heading in ("ratio", "goal"):
        table.add_column(heading, justify="right")
    for figure in figures:
        table.add_row(*_cells(figure))
    return table


def _cells(figure: Figure) -> Iterator[str]:
    yield figure.name
    yield f"{_number(figure.value)} {figure.unit}"
    yield _number(figure.baseline.value) if figure.baseline else ""
    yield figure.baseline.what if figure.baseline else ""
    yield _number(figure.ratio) if figure.ratio is not None else ""
    yield _goal(figure)


def _line(figure: Figure) -> str:
    told = [f"{figure.name} {_number(figure.value)} {figure.unit}"]
    if figure.baseline:
        told.append(f"{figure.baseline.what} {_number(figure.baseline.value)} {figure.unit}")
    if figure.ratio is not None:
        told.append(f"ratio {_number(figure.ratio)}")
    if figure.goal:
        told.append(f"goal {_goal(figure)}")
    return ", ".join(told)


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    what = "ratio " if figure.goal.of == "ratio" else ""
    return f"{what}{figure.goal.sense} {figure.goal.bound:g} {'met' if figure.met else 'missed'}"


def _number(value: float) -> str:
    """Three digits, or all of a whole number that has more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits
