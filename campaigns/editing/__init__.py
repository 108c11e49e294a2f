"""Help for whoever writes a spec: a first one, and what editors need to know."""
