"""Measured comparisons, run by hand: `make bench-NAME`."""

import os

# What is measured here must be measured, not found among the labels of earlier campaigns.
os.environ["ALLOOP_CACHE"] = "off"
