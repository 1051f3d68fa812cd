"""What is measured of the broker as a whole, each by one command; what each asks and prints: README.md."""
