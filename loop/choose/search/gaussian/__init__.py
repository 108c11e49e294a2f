"""Gaussian processes on descriptors: covariance, fit, and posterior."""
