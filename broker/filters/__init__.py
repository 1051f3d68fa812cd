"""Subscribers' filters: read, checked, evaluated on whole batches, limited."""
