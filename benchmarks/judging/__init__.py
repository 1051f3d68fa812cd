"""How well do features and classifiers do on data that others published? A module a set; `parts.py` lists them."""
