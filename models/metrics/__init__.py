"""How close materials are to each other, and how good sets of them."""
