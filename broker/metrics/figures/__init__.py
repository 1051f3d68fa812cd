"""The metrics' values: a module a family, each with one constant `FAMILY`."""
