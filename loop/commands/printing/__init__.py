"""How commands print: lines, tables, JSON, CSV; whatever comes from data is text, never markup."""
