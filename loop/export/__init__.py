"""A run in standard forms: tables, structures, and a crate that says where each came from."""
