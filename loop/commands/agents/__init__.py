"""The agent's door: tools over the runs of one folder, and the server that offers them."""
