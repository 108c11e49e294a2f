"""Known results in a table, looked up."""
