"""The page that a run ends with."""

import json
import time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker._derive import night_of
from broker.books.ledger import Entry, Ledger, Page
from broker.deadletter import Versions, letters
from broker.report import write_report
from broker.report.exemplar import Curve, read_exemplars
from broker.report.light_curve import light_curve_svg
from broker.report.rejected import read_rejected
from broker.report.tally import tally
from broker.run_directory import RunDirectory, part_stem
from broker.sources.kafka import MESSAGES
from classifiers.taxonomy import BY_PLASTICC, NOT_CLASSIFIED, TAXONOMY
from schemas.annotation import DELIVERED_TO, annotation_schema, column
from schemas.packets import rejects

LEAVES = tuple(BY_PLASTICC.values())
SCHEMA = annotation_schema(
    [column(node.column, pa.float64(), "", f"probability of {node.name}") for node in TAXONOMY if node.column],
    [column("flux_max_g", pa.float32(), "nJy", "largest flux")],
).append(DELIVERED_TO)
NAUGHTY = "</title><script>alert('x')</script><img src=x onerror=alert(1)>\"' &amp; {{ 7 * 7 }}"


def curve(n: int, seed: int = 0, peak: float = 4000.0) -> list[dict[str, Any]]:
    """A rise and fall in six bands with `n` points, and forced measurements before it."""
    rng = np.random.default_rng(seed)
    mjd = np.sort(61000 + rng.uniform(-40, 110, n))
    error = rng.uniform(80, 260, n)
    flux = peak * np.exp(-0.5 * ((mjd - 61030) / 18) ** 2) + rng.normal(0, error)
    return [
        {"mjd": m, "flux": f, "flux_err": e, "band": "ugrizy"[k % 6], "detected": bool(f > 5 * e)}
        for k, (m, f, e) in enumerate(zip(mjd.tolist(), flux.tolist(), error.tolist(), strict=True))
    ]


def alert(alert_id: int, leaf: int = 0, probability: float = 0.7, points: int = 60, **others: Any) -> dict[str, Any]:
    """A row of the annotation table; `leaf` is the index of its best class."""
    light_curve = curve(points, alert_id)
    best, rest = LEAVES[leaf], [node for k, node in enumerate(LEAVES) if k != leaf]
    odds = [(best, probability), *((node, (1 - probability) / len(rest)) for node in rest)]
    first = min((p["mjd"] for p in light_curve if p["detected"]), default=None)
    mjd = max((p["mjd"] for p in light_curve), default=61000.0)
    return {
        "survey": "lsst", "schemaId": 1000, "schemaVersion": "10.0", "alertId": alert_id, "diaSourceId": alert_id,
        "objectId": f"{alert_id + 10**17}", "mjdTai": mjd, "ra": 150.1, "dec": -2.2, "galLon": 240.0, "galLat": 40.0,
        "isSolarSystem": False, "nPoints": points, "nDetections": sum(p["detected"] for p in light_curve),
        "nDroppedPoints": 0, "firstDetectionMjdTai": first,
        "daysSinceFirstDetection": None if first is None else mjd - first, "classId": best.id, "className": best.name,
        "probability": probability, "novelty": 0.4, "lightCurve": light_curve, "origin": f"packets/{alert_id}.avro",
        "classifications": [{"classId": n.id, "className": n.name, "probability": p} for n, p in odds],
        "classifier": {"name": "first", "version": "1", "bundleSha256": "ab" * 32},
        "broker": {"name": "Boreal", "version": "0.1.0", "featuresSha256": "cd" * 32},
        "matchedFilters": ["bright"], "deliveredTo": ["bright"],
    } | others  # fmt: skip


def not_classified(alert_id: int) -> dict[str, Any]:
    """A row without a class."""
    verdict = [{"classId": NOT_CLASSIFIED, "className": "NotClassified", "probability": 1.0}]
    others = {"classId": NOT_CLASSIFIED, "className": "NotClassified", "probability": 1.0, "novelty": None}
    return alert(alert_id, points=0, classifications=verdict, notClassifiedReason="no usable point", **others)


def make_run(
    path: Path, rows: list[dict[str, Any]], turned_away: tuple[tuple[str, str, str, bytes], ...] = ()
) -> RunDirectory:
    """A run's directory with these annotations and rejects, in one micro-batch."""
    run, stem = RunDirectory(path), part_stem("0123abcd", 0)
    for row in rows:
        row["night"] = int(night_of(np.array([row["mjdTai"]]))[0])
    for night in {row["night"] for row in rows}:
        folder = run.annotations / f"night={night}"
        folder.mkdir(parents=True)
        table = pa.Table.from_pylist([row for row in rows if row["night"] == night], schema=SCHEMA)
        pq.write_table(table.drop_columns("night"), folder / f"{stem}.parquet")
    if turned_away:
        run.deadletter.mkdir(parents=True)
        dead = letters(
            rejects(list(turned_away)), MESSAGES.empty_table(), stem, Versions("0.1.0", "cd" * 32, "ab" * 32)
        )
        pq.write_table(dead, run.deadletter / f"{stem}.parquet")
    entry = Entry(
        received=len(rows) + len(turned_away) + 2,
        annotated=len(rows),
        duplicates=2,
        dead_lettered=len(turned_away),
        deliveries=Counter(name for row in rows for name in row["deliveredTo"]),
        cut={"bright": Counter({"per night": 3})},
        not_classified=Counter(row["notClassifiedReason"] for row in rows if row.get("notClassifiedReason")),
    )
    Ledger().commit(run.ledger, Page("0123abcd", 0, entry))
    return run


class Shown(HTMLParser):
    """What a browser would load, run and show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.labels: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._open.append(tag)
        for key, value in attrs:
            if key in {"src", "href", "xlink:href", "data", "action", "srcset"}:
                self.loaded.append(value or "")
            if key.startswith("on"):
                self.handlers.append(key)
            if key == "id":
                self.ids.append(value or "")
            if key == "aria-label" and tag == "svg":
                self.labels.append(value or "")

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["style"], ["script"]):
            self.words.append(data)
        elif "url(" in data or "@import" in data:
            self.loaded.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass


def page_of(run: RunDirectory) -> Shown:
    return Shown(write_report(run).read_text(encoding="utf-8"))


def all_classes() -> list[dict[str, Any]]:
    rows = [alert(100 + leaf, leaf, 0.9) for leaf in range(14)]
    rows += [alert(200 + leaf, leaf, 0.6) for leaf in range(14)]
    rows += [alert(300 + leaf, leaf, 0.5) for leaf in range(14)]
    return [*rows, not_classified(400)]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    away = (
        ("a/1.avro", "decode", "schema id 1234 is unknown", b"x"),
        ("a/0.avro", "decode", "schema id 77 is unknown", b"y"),
        ("a/2.tar", "read", "a damaged tar archive", b"z"),
    )
    return make_run(tmp_path_factory.mktemp("full"), all_classes(), away)


@pytest.fixture(scope="module")
def page(full: RunDirectory) -> Shown:
    return page_of(full)


def test_loads_nothing_from_elsewhere(full: RunDirectory, page: Shown) -> None:
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.loaded)
    assert not page.handlers
    assert page.tags["script"] == page.tags["link"] == page.tags["iframe"] == 0
    assert "http" not in full.report.read_text().replace("http-equiv", "")
    assert full.report.stat().st_size < 1_500_000


def test_every_reference_within_the_page_has_its_one_target(page: Shown) -> None:
    assert max(Counter(page.ids).values()) == 1
    assert {link[1:] for link in page.loaded if link.startswith("#")} <= set(page.ids)


def test_tells_the_books_and_that_they_balance(page: Shown) -> None:
    text = page.text
    assert "48 received = 43 annotated + 2 duplicates + 3 dead-lettered" in text
    assert "The books balance." in text


def test_tells_what_subscribers_got_and_what_was_turned_away(page: Shown) -> None:
    text = page.text
    assert "bright 43 3 per night: 3" in text
    assert "2 decode schema id 77 is unknown a/0.avro" in text
    assert "1 read a damaged tar archive a/2.tar" in text
    assert "no usable point 1" in text


def test_says_which_filter_could_not_be_evaluated(tmp_path: Path) -> None:
    run = make_run(tmp_path, [alert(1), alert(2)])
    books = json.loads(run.ledger.read_text())
    run.ledger.write_text(json.dumps({**books, "filterErrors": {"broken": 2}}))
    assert "broken 0 2 could not be evaluated: 2" in page_of(run).text


def test_says_where_files_and_books_differ(tmp_path: Path) -> None:
    run = make_run(tmp_path, [alert(1), alert(2)])
    books = json.loads(run.ledger.read_text())
    books["annotated"] = 7
    run.ledger.write_text(json.dumps(books))
    text = page_of(run).text
    assert "balance." in text
    assert "The books balance." not in text
    assert "4 alerts were received but 9 are accounted for" in text
    assert "the ledger has 7 annotated alerts, the annotation table 2" in text


def test_shows_the_two_surest_alerts_of_each_class(page: Shown) -> None:
    for leaf in range(14):
        assert f"Alert {100 + leaf} Object" in page.text
        assert f"Alert {200 + leaf} Object" in page.text
        assert f"Alert {300 + leaf} Object" not in page.text
        assert f"class-{LEAVES[leaf].id}" in page.ids
    assert f"class-{NOT_CLASSIFIED}" not in page.ids
    assert len(page.labels) == 28
    assert all(label.startswith("Light curve: 60 points") for label in page.labels)


def test_shows_an_object_once(tmp_path: Path) -> None:
    rows = [alert(1, probability=0.9, objectId="a"), alert(2, probability=0.8, objectId="a"), alert(3, probability=0.3)]
    text = page_of(make_run(tmp_path, rows)).text
    assert "Alert 1 Object" in text
    assert "Alert 2 Object" not in text
    assert "Alert 3 Object" in text


def test_finds_the_best_rows_wherever_they_are(tmp_path: Path) -> None:
    rows = [alert(k, k % 3, 0.2 + 0.0005 * ((k * 389) % 1500), points=1 + k % 4) for k in range(1500)]
    run = make_run(tmp_path, rows)
    found = read_exemplars(tally(run).best)
    for leaf in range(3):
        expected = sorted((r for r in rows if r["classId"] == LEAVES[leaf].id), key=lambda r: -r["probability"])[:2]
        shown = found[LEAVES[leaf].id]
        assert [each.columns["alertId"] for each in shown] == [row["alertId"] for row in expected]
        assert [each.curve.flux.tolist() for each in shown] == [
            [p["flux"] for p in row["lightCurve"]] for row in expected
        ]


def test_escapes_what_alerts_say(tmp_path: Path) -> None:
    row = alert(1, survey=NAUGHTY, objectId=NAUGHTY, className=NAUGHTY, origin=NAUGHTY, schemaVersion=NAUGHTY)
    row["deliveredTo"] = [NAUGHTY]
    page = page_of(make_run(tmp_path, [row], ((NAUGHTY, "decode", NAUGHTY, b""),)))
    assert page.tags["script"] == page.tags["img"] == 0
    assert not page.handlers
    assert page.text.count(NAUGHTY) >= 6


def test_a_run_without_alerts(tmp_path: Path) -> None:
    page = page_of(RunDirectory(tmp_path))
    assert "No alert has been received yet." in page.text
    assert "No alert has been classified." in page.text
    assert page.tags["svg"] == 0


def test_a_run_in_which_nothing_could_be_read(tmp_path: Path) -> None:
    text = page_of(make_run(tmp_path, [], (("a", "read", "empty", b""),))).text
    assert "3 alerts received, none annotated." in text
    assert "1 read empty a" in text


@pytest.mark.parametrize("points", [1, 2, 1200])
def test_light_curves_of_any_length(tmp_path: Path, points: int) -> None:
    page = page_of(make_run(tmp_path, [alert(1, points=points)]))
    assert page.labels[0].startswith(f"Light curve: {points} point")
    assert page.tags["image"] == (points > 400)


def test_an_alert_without_a_point_has_no_figure(tmp_path: Path) -> None:
    page = page_of(make_run(tmp_path, [alert(1, points=0)]))
    assert "No usable light-curve point." in page.text
    assert page.tags["svg"] == 0


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [alert(1, points=30), alert(2, points=500), alert(3, 4, points=8), not_classified(4)]
    first = write_report(make_run(tmp_path / "one", rows)).read_bytes()
    time.sleep(1.1)
    assert write_report(make_run(tmp_path / "other", rows[::-1])).read_bytes() == first


def figure(points: list[dict[str, Any]]) -> str:
    table = pa.Table.from_pylist([{"lightCurve": points}], schema=pa.schema([SCHEMA.field("lightCurve")]))
    found = Curve.from_points(table["lightCurve"].combine_chunks().flatten())
    return str(light_curve_svg(found, points[-1]["mjd"], points[0]["mjd"], "a"))


def point(mjd: float, flux: float, band: str = "g", *, detected: bool = True) -> dict[str, Any]:
    return {"mjd": mjd, "flux": flux, "flux_err": 50.0, "band": band, "detected": detected}


def test_the_flux_axis_is_logarithmic_only_where_a_band_would_be_squashed() -> None:
    even = [point(61000.0 + k, 2000.0 + k) for k in range(9)]
    assert "symmetric log" not in figure(even)
    assert "symmetric log" in figure([*even, *(point(61020.0 + k, 500_000.0, "y") for k in range(5))])
    assert "symmetric log" in figure([*even, point(61020.0, 500_000.0)])


def test_forced_measurements_are_drawn_open() -> None:
    seen = figure([point(61000.0, 900.0), point(61001.0, 950.0)])
    assert "not detected" not in seen
    missed = figure([point(61000.0, 900.0), point(61001.0, 50.0, detected=False)])
    assert "not detected" in missed
    assert "fill-opacity: 0" in missed


def test_reasons_that_differ_in_numbers_and_names_are_one(tmp_path: Path) -> None:
    away = tuple((f"p{k}", "decode", f"alert {k}: field 'x{k}' is missing", b"") for k in range(40))
    found = read_rejected(make_run(tmp_path, [], (*away, ("q", "decode", "empty", b""))))
    assert [(each.packets, each.origin) for each in found] == [(40, "p0"), (1, "q")]
