"""A Kafka broker and a schema registry on this machine, for tests, demos and benchmarks."""
