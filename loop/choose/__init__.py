"""Which candidates are measured next: proposal, screening, acquisition, promotion."""
