"""Candidates of people's own: what is expected of them, and batches that begin with them."""
