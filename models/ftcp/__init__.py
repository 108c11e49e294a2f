"""FTCP: inverse design of crystals through an invertible real- and reciprocal-space matrix.

Z. Ren et al., Matter 5 (2022) 314, https://doi.org/10.1016/j.matt.2021.11.032 ("the paper").
"""
