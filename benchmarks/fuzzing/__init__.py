"""Mutated packets through the pure function: no crash, no hang, no memory growth, and every promise kept."""
