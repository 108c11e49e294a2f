"""Commands that ask a run's model."""
