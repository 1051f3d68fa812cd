"""The broker in a whole Kubernetes: what its pods lose or repeat when parts of it fail."""
