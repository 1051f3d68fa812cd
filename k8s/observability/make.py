"""Makes dashboard.json of panels.yaml, and prometheus-rule.yaml of rules.yaml: `python k8s/observability/make.py`."""

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
SCHEMA_VERSION = 42
"""Of Grafana's dashboards (Grafana 12 and 13; older ones pass over what they don't know)."""

COLUMNS = 24
HEIGHTS = {"stat": 4}
HEIGHT = 8
SOURCE = {"type": "prometheus", "uid": "${source}"}
METRIC = re.compile(r"\b(boreal_\w+|ALERTS)\b({?)")

Json = dict[str, Any]


def dashboard(rows: list[Json]) -> Json:
    """The dashboard: rows one below the other, panels side by side as long as they fit."""
    panels: list[Json] = []
    top = 0
    for row in rows:
        panels.append(_row(row["row"], top))
        top = _place(panels, row["panels"], top + 1)
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": "boreal",
        "title": "Boreal",
        "description": "A broker for the LSST alert stream: a night in operation",
        "tags": ["boreal"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-12h", "to": "now"},
        "timezone": "utc",
        "refresh": "30s",
        "panels": panels,
        "templating": {"list": _variables()},
        "annotations": {"list": [_annotation()]},
        "links": [],
    }


def prometheus_rule(rules: str) -> str:
    """The rules as an object of the Prometheus operator: the same text, further in."""
    head = [
        "# Made of rules.yaml by make.py; change that file.",
        "apiVersion: monitoring.coreos.com/v1",
        "kind: PrometheusRule",
        "metadata:",
        "  name: boreal",
        "  labels: {app.kubernetes.io/name: boreal}",
        "spec:",
    ]
    lines = rules[rules.index("groups:") :].splitlines()
    return "\n".join([*head, *(f"  {line}" if line else "" for line in lines)]) + "\n"


def made() -> dict[Path, str]:
    """Every file that is made, and its content."""
    rows = YAML(typ="safe").load(HERE / "panels.yaml")
    rules = (HERE / "rules.yaml").read_text(encoding="utf-8")
    return {
        HERE / "dashboard.json": json.dumps(dashboard(rows), indent=2) + "\n",
        HERE / "prometheus-rule.yaml": prometheus_rule(rules),
    }


def _row(title: str, top: int) -> Json:
    return {"type": "row", "title": title, "collapsed": False, "gridPos": _grid(0, top, COLUMNS, 1), "panels": []}


def _place(panels: list[Json], described: list[Json], top: int) -> int:
    """Add panels from this line on; give the first free line below them."""
    left = bottom = 0
    for each in described:
        width, height = each["width"], each.get("height", HEIGHTS.get(each["kind"], HEIGHT))
        if left + width > COLUMNS:
            left, top = 0, top + bottom
            bottom = 0
        panels.append({**_panel(each), "gridPos": _grid(left, top, width, height)})
        left, bottom = left + width, max(bottom, height)
    return top + bottom


def _grid(left: int, top: int, width: int, height: int) -> Json:
    return {"x": left, "y": top, "w": width, "h": height}


def _panel(told: Json) -> Json:
    kind = KINDS[told["kind"]]
    return {
        "type": kind["type"],
        "title": told["title"],
        "description": told["about"],
        "datasource": SOURCE,
        "targets": [_target(told, n, *query) for n, query in enumerate(told["queries"].items())],
        "fieldConfig": {"defaults": _defaults(told, kind), "overrides": []},
        "options": _options(told, kind),
        "transformations": _only(told["columns"]) if "columns" in told else [],
    }


def _options(told: Json, kind: Json) -> Json:
    """A heatmap's axis has a unit of its own."""
    options: Json = kind["options"]
    return {**options, "yAxis": {**options["yAxis"], "unit": told["unit"]}} if "yAxis" in options else options


def _target(told: Json, number: int, legend: str, expression: str) -> Json:
    at_once = told["kind"] in {"table", "bars"} or "$__range" in expression
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": scoped(expression, by_filter=told.get("by_filter", False)),
        "legendFormat": legend or "__auto",
        "editorMode": "code",
        "instant": at_once,
        "range": not at_once,
        "format": {"table": "table", "heatmap": "heatmap"}.get(told["kind"], "time_series"),
    }


def scoped(expression: str, *, by_filter: bool) -> str:
    """An expression over the namespaces, and the filters, that the dashboard's variables choose."""
    chosen = 'namespace=~"$namespace"' + (', filter=~"$filter"' if by_filter else "")

    def choose(found: re.Match[str]) -> str:
        name, brace = found.groups()
        return f"{name}{{{chosen}" + (", " if brace else "}")

    return METRIC.sub(choose, expression)


def _defaults(told: Json, kind: Json) -> Json:
    steps = [{"color": colour, "value": at} for colour, at in told.get("colours", {"green": None}).items()]
    words = {str(value): {"text": text, "index": n} for n, (value, text) in enumerate(told.get("words", {}).items())}
    return {
        "unit": told["unit"],
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": kind["colour"]},
        "mappings": [{"type": "value", "options": words}] if words else [],
        "custom": kind["custom"](told),
        **({"decimals": told["decimals"]} if "decimals" in told else {}),
    }


def _lines(told: Json) -> Json:
    stacked = told.get("stack", False)
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "scaleDistribution": {"type": "log", "log": 10} if told.get("log") else {"type": "linear"},
    }


def _only(columns: list[str]) -> list[Json]:
    wanted = [*columns, "Value"]
    return [{"id": "filterFieldsByName", "options": {"include": {"names": wanted}}}]


def _variables() -> list[Json]:
    every = {"text": "All", "value": "$__all"}
    chosen = {"multi": True, "includeAll": True, "allValue": ".*", "current": every, "refresh": 2, "sort": 1}
    return [
        {"type": "datasource", "name": "source", "label": "Prometheus", "query": "prometheus"},
        {
            "type": "query", "name": "namespace", "label": "Namespace", "datasource": SOURCE,
            "query": "label_values(boreal_healthy, namespace)", **chosen,
        },
        {
            "type": "query", "name": "filter", "label": "Filter", "datasource": SOURCE,
            "query": 'label_values(boreal_filter_info{namespace=~"$namespace"}, filter)', **chosen,
        },
    ]  # fmt: skip


def _annotation() -> Json:
    """Where the run started: a line in every panel."""
    return {
        "name": "Starts", "enable": True, "iconColor": "blue", "datasource": SOURCE,
        "expr": scoped("changes(boreal_start_time_seconds[2m]) > 0", by_filter=False),
        "titleFormat": "Boreal started", "textFormat": "{{instance}}",
    }  # fmt: skip


_REDUCED = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}

KINDS: dict[str, Json] = {
    "stat": {
        "type": "stat",
        "colour": "thresholds",
        "custom": lambda _: {},
        "options": {
            "graphMode": "area", "colorMode": "value", "justifyMode": "auto", "textMode": "auto", "wideLayout": True,
            "showPercentChange": False, "percentChangeColorMode": "standard", "orientation": "auto",
            "reduceOptions": _REDUCED,
        },
    },
    "timeseries": {
        "type": "timeseries",
        "colour": "palette-classic",
        "custom": _lines,
        "options": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    },
    "bars": {
        "type": "bargauge",
        "colour": "continuous-BlPu",
        "custom": lambda _: {},
        "options": {
            "displayMode": "basic", "valueMode": "color", "namePlacement": "auto", "showUnfilled": True,
            "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300, "orientation": "horizontal",
            "legend": {**_LEGEND, "showLegend": False}, "reduceOptions": _REDUCED,
        },
    },
    "heatmap": {
        "type": "heatmap",
        "colour": "scheme",
        "custom": lambda _: {"scaleDistribution": {"type": "linear"}},
        "options": {
            "calculate": False, "cellGap": 1, "showValue": "never",
            "color": {
                "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "scale": "exponential", "exponent": 0.5,
                "steps": 64, "reverse": False,
            },
            "yAxis": {"axisPlacement": "left"},
            "legend": {"show": True},
            "tooltip": {"mode": "single", "yHistogram": False},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
        },
    },
    "table": {
        "type": "table",
        "colour": "thresholds",
        "custom": lambda _: {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        "options": {"showHeader": True, "cellHeight": "sm", "frameIndex": 0},
    },
}  # fmt: skip

if __name__ == "__main__":
    for path, content in made().items():
        path.write_text(content, encoding="utf-8")
