"""The record of a campaign: events, ledger, hash chain, artifacts, verification."""
