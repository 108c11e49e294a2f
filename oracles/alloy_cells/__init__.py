"""Cells of random alloys: how a composition becomes crystals that a simulation can measure."""
