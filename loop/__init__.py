"""How a campaign runs: ledger, controller, acquisition, execution, audit, command line."""
