"""Kafka as Boreal's own processes speak it (through librdkafka); Spark's connector is in `broker.spark`."""
