"""What a Kubernetes cluster is given: the objects that follow from a subscriber's filter."""
