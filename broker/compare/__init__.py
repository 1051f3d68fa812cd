"""Two runs over the same alerts: which answers changed, by how much, and for whom."""
