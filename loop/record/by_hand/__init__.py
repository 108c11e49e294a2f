"""Events of what people do by hand."""
