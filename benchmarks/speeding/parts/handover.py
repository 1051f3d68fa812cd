"""How many packets a second Spark hands over from Kafka, when nothing is done with them."""

from collections.abc import Iterator

from benchmarks.figure import Baseline, Figure
from benchmarks.speeding.bench import Bench


def measure(bench: Bench) -> Iterator[Figure]:
    """To a Python function that counts bytes, against a count in Java."""
    for cores in bench.scale.cores:
        java, python = bench.runs.counted(cores, java_only=True), bench.runs.counted(cores)
        details = {
            "packets": bench.runs.packets,
            "meanBytes": bench.runs.mean_bytes,
            "packetsPerMicroBatch": bench.runs.batch,
            "cpuMsPerPacket": python.cpu,
            "javaOnlyCpuMsPerPacket": java.cpu,
            "peakBytes": python.peak,
        }
        name = f"handover.{cores}-cores"
        yield Figure(name, python.rate, "packets/s", Baseline("counted in Java", java.rate), details=details)
