"""Search for candidates under an acquisition: surrogates, climbs by moves, and the batch."""
