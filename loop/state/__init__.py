"""State derived from the events: the fold, utilities, hulls, budgets, corrections."""
