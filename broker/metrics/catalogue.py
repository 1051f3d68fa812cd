"""Every metric: its name, what it counts, by what. Docs, rules and dashboards are tested against this table.

A metric is a row here and a function in a module of `broker.metrics.figures`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus's kinds of metrics that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """A metric.

    Parameters
    ----------
    name : as Prometheus sees it.
    kind : counter, gauge or histogram.
    labels : what it is told apart by.
    help : what it is, in one line.
    buckets : upper bounds of a histogram's buckets; Prometheus adds the one without a bound.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Of what takes from a moment to half an hour."""

LONG_SECONDS = (
    *(10.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0),
    *(3600.0, 21_600.0, 86_400.0, 604_800.0),
)
"""Of what takes from seconds to days: an alert comes a minute after its exposure, or is read from an archive."""

ALERTS = (1.0, 10.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0, 10_000.0, 40_000.0)
"""Of numbers of alerts."""

VISIT_ALERTS = (10.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 7500.0, 10_000.0, 12_500.0, 15_000.0, 20_000.0, 40_000.0)
"""Of alerts of a visit: LSST has about 10,000."""

DETECTORS = (10.0, 50.0, 100.0, 150.0, 170.0, 180.0, 185.0, 187.0, 188.0, 189.0)
"""Of detectors of a visit: LSSTCam has 189 that alerts come from."""


def _counter(name: str, *labels: str, means: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, means)


def _gauge(name: str, *labels: str, means: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels, means)


def _histogram(name: str, *labels: str, means: str, buckets: tuple[float, ...]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, labels, means, buckets)


GROUPS: dict[str, tuple[Metric, ...]] = {
    "Alerts": (
        _counter("boreal_alerts_received_total", means="alerts that came in, as the ledger counts them"),
        _counter("boreal_alerts_annotated_total", "survey", means="alerts in the annotation table"),
        _counter("boreal_schema_alerts_total", "survey", "version", means="annotated alerts by version of the schema"),
        _counter("boreal_alerts_duplicate_total", means="alerts that had been seen before"),
        _counter(
            "boreal_alerts_dead_lettered_total",
            "stage",
            means="packets that went to the dead-letter, by the stage that gave up; replayed ones stay counted",
        ),
        _counter(
            "boreal_dead_letter_reasons_total", "reason", means="the same by kind of reason; replayed ones stay counted"
        ),
        _gauge("boreal_dead_letters_waiting", means="dead letters that were not replayed: the ledger's deadLettered"),
        _counter("boreal_not_classified_total", "reason", means="annotated alerts without a class"),
        _counter(
            "boreal_late_alerts_total",
            "survey",
            means="annotated alerts of an earlier night than the survey's present one; since the start",
        ),
        _gauge(
            "boreal_ledger_difference",
            means="received minus annotated, duplicates and dead letters in the ledger; anything but 0 is a fault",
        ),
        _gauge("boreal_reconcile_differences", means="differences that the last boreal reconcile found"),
        _gauge("boreal_reconcile_timestamp_seconds", means="when that was [s since 1970, UTC]"),
    ),
    "Subscribers": (
        _counter("boreal_deliveries_total", "filter", means="alerts sent"),
        _counter("boreal_cut_total", "filter", "limit", means="alerts that matched and were held back by a limit"),
        _counter("boreal_filter_errors_total", "filter", means="alerts for which a filter could not be evaluated"),
        _gauge(
            "boreal_last_delivery_timestamp_seconds",
            "filter",
            means="when a filter's last alert was sent [s since 1970, UTC]; no value before the first",
        ),
        _counter("boreal_undeliverable_total", "destination", means="messages that are larger than Kafka may take"),
        _gauge("boreal_outbox_messages", means="messages that are decided on and not delivered yet"),
        _gauge("boreal_outbox_oldest_seconds", means="age of the oldest of them; 0 where there is none"),
        _gauge("boreal_filters", "state", means="filters in use (active), and files that are refused (refused)"),
        _gauge("boreal_filter_info", "filter", "version", means="1 for each filter in use"),
    ),
    "Flow": (
        _gauge(
            "boreal_lag_messages",
            "topic",
            "partition",
            means="offsets of a partition that are not in the ledger yet; Kafka sources only",
        ),
        _gauge("boreal_position_offset", "topic", "partition", means="next offset to read, by the ledger"),
        _gauge("boreal_source_up", means="1 if Kafka answered when it was last asked for the ends of its partitions"),
        _gauge("boreal_lag_asked_timestamp_seconds", means="when it last answered [s since 1970, UTC]"),
        _counter("boreal_messages_total", "topic", "partition", means="Kafka messages read"),
        _counter("boreal_message_bytes_total", "topic", "partition", means="bytes of them"),
        _counter(
            "boreal_skipped_offsets_total",
            "topic",
            "partition",
            means="offsets without a message: Kafka's own marks, or expired before they were read",
        ),
        _histogram(
            "boreal_batch_seconds",
            means="time from a micro-batch's start until it is committed and delivered; since the start",
            buckets=SECONDS,
        ),
        _histogram("boreal_batch_alerts", means="alerts received in a micro-batch; since the start", buckets=ALERTS),
        _gauge("boreal_last_batch_timestamp_seconds", means="when a micro-batch was last done [s since 1970, UTC]"),
        _gauge("boreal_batch_age_seconds", means="how long the micro-batch in hand has taken so far; 0 without one"),
        _counter(
            "boreal_stage_seconds_total",
            "stage",
            means="time spent, all workers added up: registry, decode, features, classify, explain, annotate, filters, "
            "encode; on the driver: commit, publish; since the start",
        ),
    ),
    "Latency": (
        _histogram(
            "boreal_observation_latency_seconds",
            "survey",
            means="from the observation (mjdTai) until the alert is annotated; since the start",
            buckets=LONG_SECONDS,
        ),
        _histogram(
            "boreal_kafka_latency_seconds",
            means="from Kafka's time stamp of the packet until the alert is annotated; since the start",
            buckets=SECONDS,
        ),
        _histogram(
            "boreal_delivery_latency_seconds",
            means="from Kafka's time stamp of the packet until its messages are delivered; since the start",
            buckets=SECONDS,
        ),
    ),
    "Visits": (
        _histogram(
            "boreal_visit_alerts",
            "survey",
            means="alerts of each complete visit; since the start",
            buckets=VISIT_ALERTS,
        ),
        _histogram(
            "boreal_visit_detectors",
            "survey",
            means="detectors with alerts of each complete visit; since the start",
            buckets=DETECTORS,
        ),
        _histogram(
            "boreal_visit_latency_seconds",
            "survey",
            means="from the observation (mjdTai) until the last alert of each complete visit is annotated; "
            "since the start",
            buckets=LONG_SECONDS,
        ),
        _counter(
            "boreal_visit_late_alerts_total",
            "survey",
            means="annotated alerts of visits that were complete already; since the start",
        ),
        _gauge("boreal_newest_visit", "survey", means="number of the newest visit; no value while none is open"),
        _gauge("boreal_newest_visit_alerts", "survey", means="alerts of the newest visit so far"),
        _gauge("boreal_newest_visit_detectors", "survey", means="detectors with alerts of the newest visit so far"),
        _gauge("boreal_newest_visit_age_seconds", "survey", means="time since the newest visit was observed"),
    ),
    "Model": (
        _gauge("boreal_model_info", "bundle", "version", means="1 for the model bundle in use, by hash and version"),
        _gauge("boreal_code_info", "version", "features", means="1 for the code in use: version, hash of the features"),
        _gauge(
            "boreal_score_drift",
            "survey",
            means="Jensen-Shannon distance, 0 to 1, of the class probabilities' means: newest alerts, and reference",
        ),
        _gauge("boreal_score_mean", "survey", "class", means="mean probability of a class over the newest alerts"),
        _gauge("boreal_score_reference", "survey", "class", means="the same over the reference"),
        _gauge("boreal_score_window_alerts", "survey", means="classified alerts in the window of the newest"),
        _gauge("boreal_score_reference_alerts", "survey", means="classified alerts in the reference"),
        _counter(
            "boreal_novel_alerts_total",
            "survey",
            means="classified alerts with a novelty above 1: unlike 99 of 100 training light curves; since the start",
        ),
    ),
    "Shadow": (
        _gauge("boreal_shadow_info", "bundle", means="1 for the bundle that runs beside the first"),
        _counter("boreal_shadow_alerts_total", "bundle", means="annotated alerts that a shadow classified, too"),
        _counter("boreal_shadow_same_total", "bundle", means="those of them with the same best class"),
        _counter("boreal_shadow_failures_total", "bundle", means="annotated alerts that a shadow failed on"),
        _counter("boreal_shadow_seconds_total", means="time the shadow took, all workers together; since the start"),
        _gauge("boreal_shadow_agreement", "survey", means="share of the newest alerts with the same best class"),
        _gauge(
            "boreal_shadow_distance",
            "survey",
            means="mean distance of the two answers on them: half the sum of the differences of all probabilities",
        ),
        _gauge("boreal_shadow_window_alerts", "survey", means="the newest alerts: drift_window of them at most"),
        _gauge(
            "boreal_shadow_score_mean",
            "survey",
            "class",
            "model",
            means="mean probability of a class over those of them with a class, by the first bundle and by the shadow",
        ),
    ),
    "Process": (
        _gauge("boreal_healthy", means="1 if the run makes progress or waits for packets, as /healthz says"),
        _gauge("boreal_ready", means="1 while the stream takes micro-batches, as /readyz says"),
        _gauge("boreal_start_time_seconds", means="when the run started [s since 1970, UTC]"),
        _gauge("boreal_java_up", means="1 while Spark's Java process on the driver is alive"),
        _gauge("boreal_process_resident_bytes", "process", means="memory of the driver: python, java, workers"),
        _gauge("boreal_disk_bytes", means="what is used and free of the disk that holds the run's directory"),
        _gauge("boreal_disk_free_bytes", means="what is free of it"),
        _counter("boreal_process_cpu_seconds_total", "process", means="CPU time of the driver: python, java"),
        _counter("boreal_metrics_errors_total", "metric", means="metrics that could not be told; a fault in Boreal"),
        _gauge(
            "boreal_series_left_out",
            "metric",
            means="series of a metric that are told under `other`, or not at all, since there are too many",
        ),
    ),
}
"""The metrics by what they are about."""

METRICS = tuple(metric for group in GROUPS.values() for metric in group)

BY_NAME = {metric.name: metric for metric in METRICS}
