"""Why a candidate was chosen or not: its place among the others, and what would have changed it."""
