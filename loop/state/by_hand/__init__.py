"""What people have decided by hand, folded from their events."""
