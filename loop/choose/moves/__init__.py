"""Integer codes of materials, and the moves between them: one implementation per kind of space."""
