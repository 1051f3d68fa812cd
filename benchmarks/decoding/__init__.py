"""Decoding by machine against fastavro, on the same packets in the same run."""
