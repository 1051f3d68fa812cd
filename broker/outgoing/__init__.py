"""What goes out to Kafka: where to, in which form, and the box it waits in until it is sent."""
