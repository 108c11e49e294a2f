"""P-CDVAE: a diffusion variational autoencoder of crystals that knows their phase."""
