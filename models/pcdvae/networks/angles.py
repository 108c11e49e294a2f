"""Sums over pairs of edges that share a target, without listing the pairs.

Both networks sum, for every edge, over the other edges of an atom, weighted by Legendre
polynomials of the angle between the two. The addition theorem

    P_l(u · v) = Σ_m Y_lm(u) Y_lm(v)

(harmonics in Racah's normalisation) splits each term into a factor of one edge and a factor of
the other. So the sum over the second edge is done once per atom rather than once per edge: the
cost grows with the number of edges, not with its product with the number of neighbours, and no
array is as long as the list of triplets. The result is the same to rounding.
"""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from alloop.models.pcdvae.networks.graph import Graph


@dataclass(frozen=True)
class Angles:
    """Spherical harmonics of a graph's edge directions, laid out for sums over pairs of edges."""

    graph: Graph
    harmonics: Tensor
    """Harmonics by atom and place among its edges, zero where there is none, shape (n, width,
    L²)."""
    orders: int
    """Number L of polynomials, of order 0 … L − 1."""

    @classmethod
    def of(cls, graph: Graph, orders: int) -> Self:
        """Compute the harmonics of all edges' directions."""
        scale = [math.sqrt(harmonic_at_zero(k)) for k in range(orders) for _ in range(2 * k + 1)]
        flat = harmonics(graph.direction, orders) * graph.direction.new_tensor(scale)
        return cls(graph, _spread(graph, flat), orders)

    def correlate(self, x: Tensor) -> Tensor:
        """Return Σ_b Y_l0(θ_ab) x_b over the other edges b of each edge a's target.

        Args:
            x: shape (e, c).

        Returns:
            Shape (e, L, c).
        """
        atoms = self.harmonics.transpose(1, 2) @ _spread(self.graph, x)  # (n, L², c)
        # Splitting rather than slicing: the gradient of a slice is an array of zeros, each time.
        sizes = [2 * k + 1 for k in range(self.orders)]
        parts = [
            small_products(of_edges, of_atoms)
            for of_edges, of_atoms in zip(
                self.harmonics.split(sizes, dim=2), atoms.split(sizes, dim=1), strict=True
            )
        ]
        total = torch.stack(parts, dim=2)  # (n, width, L, c)
        own = x[:, None] * self._at_zero_angle(x)
        return total.flatten(0, 1).index_select(0, self.graph.slot) - own

    def contract(self, x: Tensor) -> Tensor:
        """Return Σ_b Σ_l Y_l0(θ_ab) x_bl over the other edges b of each edge a's target.

        Args:
            x: shape (e, L, c).

        Returns:
            Shape (e, c).
        """
        spread = _spread(self.graph, x.flatten(1)).unflatten(2, x.shape[1:])
        atoms = torch.cat(
            [
                self.harmonics[:, :, k * k : (k + 1) ** 2].transpose(1, 2) @ of_edges
                for k, of_edges in enumerate(spread.unbind(dim=2))
            ],
            dim=1,
        )  # (n, L², c)
        total = self.harmonics @ atoms  # (n, width, c)
        own = (x * self._at_zero_angle(x)).sum(dim=1)
        return total.flatten(0, 1).index_select(0, self.graph.slot) - own

    def _at_zero_angle(self, like: Tensor) -> Tensor:
        """Return Y_l0(0), shape (L, 1)."""
        return like.new_tensor([[harmonic_at_zero(k)] for k in range(self.orders)])


def harmonic_at_zero(order: int) -> float:
    """Return Y_l0 at angle 0, which is its factor before the Legendre polynomial."""
    return math.sqrt((2 * order + 1) / (4 * math.pi))


def small_products(left: Tensor, right: Tensor) -> Tensor:
    """Return the products of many small matrices, shapes (b, i, j) and (b, j, k) to (b, i, k).

    Where the network is compiled, as sums that the compiler puts into one loop with what goes
    before and after: a library's product of matrices of 16 × 7 numbers is mostly its overhead.
    """
    if torch.compiler.is_compiling():
        return (left[..., None] * right[:, None]).sum(dim=2)
    return left @ right


def harmonics(direction: Tensor, orders: int) -> Tensor:
    """Return real spherical harmonics in Racah's normalisation, order by order.

    Args:
        direction: unit vectors, shape (e, 3).
        orders: L.

    Returns:
        Shape (e, L²); for two directions the products of an order's 2 l + 1 columns add up to
        the Legendre polynomial of their cosine.
    """
    x, y, z = direction.unbind(dim=1)
    cosine, sine = [torch.ones_like(x)], [torch.zeros_like(x)]  # sin^m θ cos mφ, sin^m θ sin mφ
    for m in range(1, orders):
        cosine.append(x * cosine[m - 1] - y * sine[m - 1])
        sine.append(x * sine[m - 1] + y * cosine[m - 1])
    polar = _polar_parts(z, orders)
    columns = []
    for order in range(orders):
        for m in range(-order, order + 1):
            k = abs(m)
            ratio = math.factorial(order - k) / math.factorial(order + k)
            norm = math.sqrt(ratio if m == 0 else 2 * ratio)
            columns.append(norm * polar[order, k] * (sine if m < 0 else cosine)[k])
    return torch.stack(columns, dim=1)


def _polar_parts(z: Tensor, orders: int) -> dict[tuple[int, int], Tensor]:
    """Return associated Legendre functions of z without their factor sin^m θ, by (l, m)."""
    parts: dict[tuple[int, int], Tensor] = {}
    for m in range(orders):
        parts[m, m] = torch.full_like(z, math.prod(range(1, 2 * m, 2)))
        if m + 1 < orders:
            parts[m + 1, m] = (2 * m + 1) * z * parts[m, m]
        for k in range(m + 2, orders):
            two, one = (k + m - 1) * parts[k - 2, m], (2 * k - 1) * z * parts[k - 1, m]
            parts[k, m] = (one - two) / (k - m)
    return parts


def _spread(graph: Graph, of_edges: Tensor) -> Tensor:
    """Lay edges out by atom and place, shape (e, c) to (n, width, c), zero where there is none."""
    zeros = of_edges.new_zeros(graph.n * graph.width, of_edges.shape[1])
    return zeros.index_copy(0, graph.slot, of_edges).unflatten(0, (graph.n, graph.width))
