"""What to look for: campaign specs, their space, objectives and budget."""
