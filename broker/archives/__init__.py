"""Reprocessing over archives: what they hold, how they are cut into portions, how workers read those."""
