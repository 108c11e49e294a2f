"""Commands by which people ask a campaign and tell it things."""
