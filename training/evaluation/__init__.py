"""How good a bundle is, on objects that it was not fitted on: what `classifiers.evaluation` holds."""
