"""The books of a run: what came, what became of it, and whether both agree."""
