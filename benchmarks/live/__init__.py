"""How long does an alert take from Kafka to a subscriber's topic? Shown live, and measured."""
