"""How good a model bundle is, told to people from its evaluation."""
