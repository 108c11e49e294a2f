"""What people are asked to measure: a table, structures and words."""
