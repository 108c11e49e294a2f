"""What a campaign has written down: events, ledger, hash chain, artifacts, verification."""
