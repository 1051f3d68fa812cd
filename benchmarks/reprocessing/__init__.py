"""A reprocessing that is killed over and over: its table must be that of one that was left alone, byte for byte."""
