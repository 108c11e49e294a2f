"""Campaign specs: space, objectives, model, acquisition, tiers, budget."""
