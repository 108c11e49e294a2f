"""Runs as live pages: read again when they go on, rendered, and served read-only over HTTP."""
