"""Commands that run a campaign, or say where it stands."""
