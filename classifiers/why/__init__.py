"""Why does a bundle answer as it does? What features and points of the light curve say for a class."""
