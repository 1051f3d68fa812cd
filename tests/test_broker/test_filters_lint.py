"""What is allowed in a condition and probably not meant: the message, the words that it points at, and the hint."""

from pathlib import Path

import pyarrow as pa
import pytest

from broker.filters._domain import column_values, never_filled
from broker.filters.check import check_condition
from broker.filters.kinds import Columns
from broker.filters.read import read_filters
from broker.pipeline import Outcome
from schemas.surveys import discover

EXCLUDE = "these exclude each other"
ALL = "one of these is true whatever the value"
NEVER = "the condition is never true"
ALWAYS = "the condition is always true"

DOUBTFUL = [
    # probabilities
    ("pSNIa > 80", "pSNIa is a probability, from 0 to 1, compared with 80", "pSNIa > 80", ""),
    ("-0.5 < probability", "probability is a probability, from 0 to 1, compared with -0.5", "0.5 < probability", ""),
    ("snr > 5 OR pSNLike BETWEEN 1 AND 50", "compared with 50", "pSNLike BETWEEN 1 AND 50", ""),
    # nothing to decide
    ("1 = 1", "the condition uses no column", "1 = 1", ""),
    ("TRUE", "the condition uses no column", "TRUE", ""),
    # NULL
    ("snr = NULL", "a comparison with NULL is never true", "snr", "IS NULL or IS NOT NULL"),
    ("snr > 3 AND band NOT IN ('g', NULL)", "NOT IN a list with a NULL is never true", "band NOT IN ('g', NULL", ""),
    # never and always
    ("dec > 95", NEVER, "dec > 95", ""),
    ("snr > 5 AND abs(psfFlux) < 0", NEVER, "abs(psfFlux) < 0", ""),
    ("sqrt(snr) < -1", NEVER, "sqrt(snr) < -1", ""),
    ("nDetections < 0", NEVER, "nDetections < 0", ""),
    ("detections_within(30) < 0", NEVER, "detections_within(30) < 0", ""),
    ("lower(className) = 'SN Ia'", NEVER, "lower(className) = 'SN Ia'", ""),
    ("angular_distance(ra, dec, 10, 10) > 200", NEVER, "angular_distance", ""),
    ("snr > 5 AND (pSNIa / NULL) > 1", NEVER, "pSNIa / NULL) > 1", ""),
    ("nDetections >= 0", ALWAYS, "nDetections >= 0", ""),
    ("ra <= 360 AND dec >= -90", ALWAYS, "ra <= 360 AND dec >= -90", ""),
    ("snr > 5 IS NOT NULL OR nPoints >= 0", ALWAYS, "snr > 5", ""),
    # ranges
    ("snr > 5 AND snr < 3", EXCLUDE, "snr > 5 AND snr < 3", ""),
    ("snr > 5 AND isDipole AND NOT snr > 5", EXCLUDE, "snr > 5 AND isDipole AND NOT snr > 5", ""),
    ("snr >= 5 AND (isDipole AND 5 > snr)", EXCLUDE, "snr >= 5 AND (isDipole AND 5 > snr", ""),
    ("snr BETWEEN 5 AND 3 OR pSNIa > 0.5", EXCLUDE, "snr BETWEEN 5 AND 3", ""),
    ("snr = 1 AND snr = 2", EXCLUDE, "snr = 1 AND snr = 2", ""),
    ("snr > 5 AND snr <= 5", EXCLUDE, "snr > 5 AND snr <= 5", ""),
    ("nDetections > 5 AND nDetections < 6", EXCLUDE, "nDetections > 5 AND nDetections < 6", ""),
    ("snr * 2 > 5 AND snr * 2 < 3", EXCLUDE, "snr * 2 > 5 AND snr * 2 < 3", ""),
    ("band = 'g' AND band = 'r'", EXCLUDE, "band = 'g' AND band = 'r'", ""),
    ("band IN ('g', 'r') AND band IN ('i', 'z')", EXCLUDE, "band IN ('g', 'r') AND band IN ('i', 'z'", ""),
    ("band = 'g' AND band <> 'g'", EXCLUDE, "band = 'g' AND band <> 'g'", ""),
    ("snr > 5 OR snr <= 5", ALL, "snr > 5 OR snr <= 5", ""),
    ("snr < 7 OR snr > 5", ALL, "snr < 7 OR snr > 5", ""),
    ("band = 'g' OR band <> 'g'", ALL, "band = 'g' OR band <> 'g'", ""),
    # texts and ids that never occur
    ("className = 'SN 1a'", "className is never 'SN 1a'", "className = 'SN 1a'", "did you mean SN Ia"),
    ("'snia' = className", "className is never 'snia'", "'snia' = className", "did you mean SN Ia"),
    ("className <> 'AGNs'", "className is never 'AGNs'", "className <> 'AGNs'", "did you mean AGN?"),
    ("className IN ('SN Ia', 'SN-II')", "className is never 'SN-II'", "className IN ('SN Ia', 'SN-II'", "SN II"),
    ("className = 'SN-like'", "className is never 'SN-like'", "className", "pSNLike is its probability"),
    ("className = 'Quasar'", "className is never 'Quasar'", "className", "it is one of AGN, "),
    ("className LIKE 'SN 1%'", "no className is like this", "className LIKE 'SN 1%'", "it is one of AGN, "),
    ("survey = 'LSST' AND snr > 5", "survey is never 'LSST'", "survey = 'LSST'", "did you mean lsst?"),
    ("band = 'G'", "band is never 'G'", "band = 'G'", "did you mean g?"),
    ("classId = 90", "classId is never 90", "classId = 90", "it is one of 2222, "),
    # columns that a survey never fills
    ("survey = 'ztf' AND NOT isDipole", "isDipole is NULL in every alert of ztf", "isDipole", "IS NOT TRUE"),
    ("survey = 'elasticc' AND reliability > 0.5 AND snr > 3", "reliability is NULL", "reliability > 0.5", "coalesce"),
    ("survey IN ('ztf', 'lsst') AND hostPhotoz > 0.1", "hostPhotoz is NULL in every alert of ztf", "hostPhotoz", ""),
    ("survey <> 'lsst' AND flagEdge = FALSE", "flagEdge is NULL in every alert of elasticc", "flagEdge", ""),
    ("extendedness > 0.5 AND milkyWayEbv < 1", "NULL in every alert of lsst", "milkyWayEbv < 1", ""),
]


@pytest.mark.parametrize(("text", "message", "words", "hint"), DOUBTFUL, ids=[case[0] for case in DOUBTFUL])
def test_what_is_doubtful_passes_with_a_warning(
    annotation_columns: pa.Schema, text: str, message: str, words: str, hint: str
) -> None:
    checked = check_condition(text, annotation_columns)
    assert checked.term is not None, checked.problems
    told = [doubt for doubt in checked.doubts if message in doubt.message]
    assert told, checked.doubts
    assert text[slice(*told[0].span)].startswith(words)
    assert hint in told[0].hint
    assert len({doubt.message for doubt in checked.doubts}) == len(checked.doubts)


FINE = [
    "pSNIa > 0.8 AND nDetections > 3 AND snr > 80",
    "snr > 3 AND snr > 5 AND snr < 100 AND NOT snr < 4",
    "snr > 5 OR snr < 3",
    "snr BETWEEN 3 AND 3",
    "nDetections > 5 AND nDetections < 7",
    "band = 'g' OR band = 'r'",
    "band <> 'g' AND band <> 'r'",
    "band IN ('g', 'r') AND band IN ('r', 'i')",
    "className = 'NotClassified' OR className LIKE 'SN%'",
    "lower(className) = 'sn ia'",
    "className ILIKE 'sn%'",
    "NOT isDipole",
    "survey = 'ztf' AND isDipole IS NOT TRUE",
    "survey = 'ztf' AND coalesce(hostPhotoz, 1) < 2",
    "survey = 'lsst' AND extendedness > 0.5",
    "hostPhotoz BETWEEN 0.05 AND 0.7 AND nDetections >= 4",
    "(survey = 'ztf' AND snr > 5) OR (survey = 'lsst' AND NOT isDipole)",
    "isDipole IS NULL OR isDipole IS NOT NULL",
    "galLat > 10 OR galLat < -10",
    "ra > 350 OR ra < 10",
    "CASE WHEN isDipole THEN 1 ELSE 2 END = 2",
    "days_since_previous('g') < 3 AND flux_slope_within(10, 'g') > 0",
    "objectId = 'ZTF18abc'",
    "novelty > 1",
    "reliability > 0.5",
]  # fmt: skip


@pytest.mark.parametrize("text", FINE)
def test_what_is_fine_gets_no_warning(annotation_columns: pa.Schema, text: str) -> None:
    checked = check_condition(text, annotation_columns)
    assert checked.problems == ()
    assert checked.doubts == ()


def test_the_example_filters_get_no_warning(examples_dir: Path) -> None:
    from broker.commands.filter import schema_of

    files = sorted((examples_dir / "filters").glob("*.yaml"))
    filters, findings = read_filters(files, schema_of(None))
    assert findings == []
    assert len(filters) == len(files) > 5


def test_what_columns_hold_is_what_real_alerts_hold(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for name, known in column_values(outcome.annotations.schema).items():
            values = outcome.annotations[name].to_pylist()
            present = {value for value in values if value is not None}
            assert known.null or None not in values, name
            assert known.values is None or present <= known.values, name
            if any(isinstance(value, int | float) for value in present):
                assert known.low <= min(present) <= max(present) <= known.high, name


def test_what_a_survey_never_fills_is_null_in_real_alerts(outcomes: list[Outcome]) -> None:
    assert set(never_filled("ztf")) > {"hostPhotoz", "isDipole", "extendedness"}
    assert "hostPhotoz" not in never_filled("elasticc")
    for outcome in outcomes:
        usable = set(Columns(outcome.annotations.schema).usable())
        for row in outcome.annotations.to_pylist():
            unfilled = never_filled(row["survey"])
            assert set(unfilled) <= usable
            assert [name for name in unfilled if row[name] is not None] == []
    assert all(never_filled(survey) for survey in discover())
