"""Alerts that one version of a filter sends and another doesn't, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass

from broker.backtest.alerts import Alerts
from broker.backtest.backtest import Backtest
from broker.backtest.passed import Passed, Rows
from broker.backtest.shown import read_rows
from broker.backtest.why import columns_for, reasons

COLUMNS = {
    "survey": "survey",
    "alert_id": "alertId",
    "object_id": "objectId",
    "night": "night",
    "class_name": "className",
    "probability": "probability",
}
"""The annotation column of each field of an example."""


@dataclass(frozen=True)
class Example:
    """An alert that is sent by one filter alone.

    Parameters
    ----------
    survey, alert_id, object_id : who it is; the object is None where it has none.
    night : yyyymmdd.
    class_name, probability : its best class.
    why : what keeps the other filter from sending it.
    """

    survey: str
    alert_id: int
    object_id: str | None
    night: int
    class_name: str
    probability: float
    why: tuple[str, ...]


def read_examples(sources: Sequence[Alerts], passed: Passed, rows: Rows, without: Backtest) -> list[Example]:
    """The alerts in these rows, with the reason why a filter doesn't send them.

    Parameters
    ----------
    sources : those that `passed` was made with.
    passed : the alerts.
    rows : which of them.
    without : the filter that doesn't send them.
    """
    wanted = rows.tolist()
    columns = dict.fromkeys([*COLUMNS.values(), *columns_for(without.filter)])
    found = read_rows(sources, passed, wanted, list(columns))
    made = []
    for row in wanted:
        (who,) = found[row].select(list(COLUMNS.values())).to_pylist()
        facts = {field: who[name] for field, name in COLUMNS.items()}
        made.append(Example(**facts, why=reasons(without.filter, found[row])))
    return made
