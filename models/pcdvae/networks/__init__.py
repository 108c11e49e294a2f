"""The networks of P-CDVAE: periodic graphs, encoder, heads, decoder, noise."""
