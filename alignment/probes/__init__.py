"""Linear probes of frozen features, and how like two sets of features are."""
