"""The paper's network: 1D convolutions over the matrix's rows, its columns as channels."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.ftcp.networks.network import FtcpNetwork
from alloop.models.ftcp.options import PublishedNetwork
from alloop.models.ftcp.representation.crystals import CrystalArrays, Size
from alloop.models.ftcp.representation.matrix import blocks, from_matrices, shape
from alloop.models.ftcp.representation.scaling import Scaler

KERNELS = (5, 3, 3)
STRIDES = (2, 2, 1)
SHRINKAGE = 4
"""Product of the strides; rows are padded with zeros to a multiple of it."""


class PublishedFtcp(FtcpNetwork):
    """Encoder 32–64–128 channels, 1024 dense, z; the decoder mirrors it (paper, section S2.4).

    Batch normalisation follows every convolution, leaky ReLU in the encoder and ReLU in the
    decoder; the dense layer and the output are sigmoids.
    """

    def __init__(
        self,
        options: PublishedNetwork,
        latents: int,
        size: Size,
        scaler: Scaler,
        allowed: np.ndarray,
    ) -> None:
        super().__init__(size, scaler, allowed)
        self.threshold = options.occupancy_threshold
        self.rows, columns = shape(size)
        self.length = -(-self.rows // SHRINKAGE)
        first, second, third = options.channels
        self.encoder = nn.Sequential(
            *_shrink(columns, first, 0), *_shrink(first, second, 1), *_shrink(second, third, 2),
            nn.Flatten(), nn.Linear(third * self.length, options.dense), nn.Sigmoid(),
        )  # fmt: skip
        self.mean = nn.Linear(options.dense, latents)
        self.log_variance = nn.Linear(options.dense, latents)
        self.decoder = nn.Sequential(
            nn.Linear(latents, third * self.length), nn.ReLU(),
            nn.Unflatten(1, (third, self.length)), nn.BatchNorm1d(third),
            *_grow(third, second, 2), nn.BatchNorm1d(second), nn.ReLU(),
            *_grow(second, first, 1), nn.BatchNorm1d(first), nn.ReLU(),
            *_grow(first, columns, 0), nn.Sigmoid(),
        )  # fmt: skip

    def posterior(self, matrices: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances of latents, shape (n, d), of matrices (n, R, C)."""
        padding = SHRINKAGE * self.length - self.rows
        signal = F.pad(self.scale(matrices).transpose(1, 2), (0, padding))  # (n, C, R')
        hidden = self.encoder(signal)
        return self.mean(hidden), self.log_variance(hidden)

    def reconstruction_loss(self, z: Tensor, matrices: Tensor) -> Tensor:
        """Return the sum of squares over the scaled matrix, shape (n,)."""
        return (self._decode(z) - self.scale(matrices)).square().sum(dim=(1, 2))

    def crystals(self, z: Tensor) -> CrystalArrays:
        """Return the crystals that latent points, shape (n, d), decode to."""
        matrices = self.unscale(self._decode(z))
        elements = matrices[:, blocks(self.size)["elements"], : self.size.columns]
        elements[:, ~self.allowed] = -torch.inf
        return from_matrices(matrices.numpy(), self.size, threshold=self.threshold)

    def _decode(self, z: Tensor) -> Tensor:
        """Return scaled matrices, shape (n, R, C)."""
        decoded: Tensor = self.decoder(z)[..., : self.rows]
        return decoded.transpose(1, 2)


def _shrink(channels: int, out: int, layer: int) -> tuple[nn.Module, ...]:
    kernel, stride = KERNELS[layer], STRIDES[layer]
    return (
        nn.Conv1d(channels, out, kernel, stride, padding=kernel // 2),
        nn.BatchNorm1d(out),
        nn.LeakyReLU(0.2),
    )


def _grow(channels: int, out: int, layer: int) -> tuple[nn.Module, ...]:
    kernel, stride = KERNELS[layer], STRIDES[layer]
    return (
        nn.ConvTranspose1d(
            channels, out, kernel, stride, padding=kernel // 2, output_padding=stride - 1
        ),
    )
