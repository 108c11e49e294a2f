"""Public data sets: where they lie, and how they are fetched."""
