"""What is good: utility, fronts of several objectives, and their reference point."""
