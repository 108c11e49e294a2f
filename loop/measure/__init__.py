"""Measuring candidates: workers, clusters, isolation, label cache."""
