"""What people are asked for, and what they answer."""
