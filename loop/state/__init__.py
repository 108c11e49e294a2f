"""What follows from the events: the fold, utilities, hulls, budgets, corrections."""
