"""Files of others: read within bounds, the same way in every command; nothing in them is run."""
