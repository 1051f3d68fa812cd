"""Fits and exports model bundles; nothing imports this package."""
