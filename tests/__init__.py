"""The tests: a package of their own, so that nobody else's `tests` is imported in its place."""
