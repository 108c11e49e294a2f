"""Figures of what a run says of itself: explained, taken back, shown, exported."""
