"""Several oracles in a row, as one."""
