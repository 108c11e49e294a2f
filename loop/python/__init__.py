"""A campaign from Python: ``alloop.Campaign``, its tables and what a notebook shows."""
