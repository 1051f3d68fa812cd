"""Whether each visit of a night came whole and in time: alerts, detectors, latency, what came late."""
