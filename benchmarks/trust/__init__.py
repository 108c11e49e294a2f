"""Trust measured: interruptions, hostile files, forgeries, ledgers that grow."""
