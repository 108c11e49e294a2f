"""Strategies of acquisition: one rule of choice each, over shared labels, oracles and ledger."""
