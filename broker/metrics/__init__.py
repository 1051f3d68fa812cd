"""What an operator looks at while a run works: metrics for Prometheus, and whether it is well."""
