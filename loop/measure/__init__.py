"""How candidates are measured: workers, clusters, isolation, label cache."""
