"""The running service: pipeline, filters, sources, sinks, ledger, Spark, command line."""
