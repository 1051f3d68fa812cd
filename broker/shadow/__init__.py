"""A second model bundle beside the first, on the same alerts, without delivering anything."""
