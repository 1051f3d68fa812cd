"""A live run that is killed over and over while packets flow: nothing lost, nothing twice in the table."""
