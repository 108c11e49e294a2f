"""Structure types: crystals without their elements, from a library and from what is known."""
