"""Tiers measured by people: requests, results, labelling."""
