"""Columns and light curves -> class probabilities; the taxonomy; model bundles."""
