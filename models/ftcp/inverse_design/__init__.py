"""From wanted properties to crystals, and how good a design was."""
