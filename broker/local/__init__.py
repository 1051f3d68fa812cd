"""A Kafka broker, a schema registry and a Prometheus on this machine, for tests, demos and benchmarks."""
