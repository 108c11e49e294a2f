"""What a trained model says of its campaign: its latent space, designs, importances and quality."""
