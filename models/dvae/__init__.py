"""Disentangled semi-supervised variational autoencoder over compositions (DVAE).

After Zeng, Khan and Post, "Data-efficient and interpretable inverse materials design using a
disentangled variational autoencoder" (2024); equation numbers in this room are that paper's.
"""
