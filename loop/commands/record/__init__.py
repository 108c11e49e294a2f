"""Commands that read a run's record back: why, and whether it is whole."""
