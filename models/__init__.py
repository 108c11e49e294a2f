"""What learns: generative models of compositions, decorations and crystals."""
