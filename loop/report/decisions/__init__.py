"""Table of all decisions, and the filters of it."""
