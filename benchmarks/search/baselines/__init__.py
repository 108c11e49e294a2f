"""What the search is held against."""
