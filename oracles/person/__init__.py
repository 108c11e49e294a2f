"""People who measure."""
