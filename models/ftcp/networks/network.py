"""Base class of both networks: the interface that training and the model use."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from alloop.models.ftcp.representation.crystals import CrystalArrays, Size
from alloop.models.ftcp.representation.elements import N_ELEMENTS, property_table
from alloop.models.ftcp.representation.scaling import Scaler


class FtcpNetwork(nn.Module, ABC):
    """An encoder and a decoder of FTCP matrices, with what scales them.

    Args:
        size: of the representation.
        scaler: fitted on training crystals; of the first fit, and kept from then on.
        allowed: which elements may be decoded, shape (103,).
    """

    def __init__(self, size: Size, scaler: Scaler, allowed: np.ndarray) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("row_low", torch.from_numpy(scaler.low.astype(np.float32)))
        self.register_buffer("row_span", torch.from_numpy(scaler.span.astype(np.float32)))
        self.register_buffer("allowed", torch.tensor(allowed))

    row_low: Tensor
    row_span: Tensor
    allowed: Tensor

    def scale(self, matrices: Tensor) -> Tensor:
        """Return matrices, shape (n, R, C), with every row's training range mapped to [0, 1]."""
        return (matrices - self.row_low[:, None]) / self.row_span[:, None]

    def unscale(self, scaled: Tensor) -> Tensor:
        """Undo ``scale``: return matrices in their own units, shape (n, R, C)."""
        return scaled * self.row_span[:, None] + self.row_low[:, None]

    @abstractmethod
    def posterior(self, matrices: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances of latents, shape (n, d), of matrices (n, R, C)."""

    @abstractmethod
    def reconstruction_loss(self, z: Tensor, matrices: Tensor) -> Tensor:
        """Return the loss between what z, shape (n, d), decodes to and the matrices, shape (n,)."""

    @abstractmethod
    def crystals(self, z: Tensor) -> CrystalArrays:
        """Return the crystals that latent points, shape (n, d), decode to."""


def all_elements() -> np.ndarray:
    """Return which elements can be represented, shape (103,)."""
    known: np.ndarray = np.isfinite(property_table()[:, 0])
    assert known.shape == (N_ELEMENTS,)
    return known
