"""From events to the state of a campaign."""
