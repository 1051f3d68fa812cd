"""A comparison for people: which classes, and which statistics, are furthest from the real ones."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from classifiers.taxonomy import BY_PLASTICC
from training.realism.distances import Comparison

STATISTICS_SHOWN = 15


def show(comparison: Comparison, console: Console) -> None:
    """Print the classes and the statistics, the worst first."""
    if comparison.table.empty:
        console.print(f"{comparison.name}: no class has enough objects to be compared")
        return
    console.print(_classes(comparison))
    console.print(_statistics(comparison))


def group_name(row: pd.Series) -> str:
    """A class and its field."""
    return f"{BY_PLASTICC[int(row['target'])].name}, {'deep' if row['ddf'] else 'wide'}"


def _classes(comparison: Comparison) -> Table:
    table = Table("class, field", title=f"{comparison.name}: classes", title_justify="left")
    for heading in ("real", "simulated", "median KS", "by chance"):
        table.add_column(heading, justify="right")
    table.add_column("furthest")
    for _, row in comparison.classes().iterrows():
        numbers = (f"{row['real']:,}", f"{row['simulated']:,}", f"{row['ks']:.2f}", f"{row['by_chance']:.2f}")
        table.add_row(group_name(row), *numbers, row["worst"])
    return table


def _statistics(comparison: Comparison) -> Table:
    found = comparison.statistics()
    shown = found.head(STATISTICS_SHOWN)
    table = Table(
        "statistic", title=f"{comparison.name}: {len(shown)} of {len(found)} statistics", title_justify="left"
    )
    table.add_column("median KS", justify="right")
    table.add_column("worst", justify="right")
    table.add_column("there")
    for _, row in shown.iterrows():
        table.add_row(row["statistic"], f"{row['ks']:.2f}", f"{row['worst']:.2f}", group_name(row))
    return table
