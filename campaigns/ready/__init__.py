"""Ready-to-run campaigns, one YAML each."""
