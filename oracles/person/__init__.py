"""The oracle of a tier that people measure."""
