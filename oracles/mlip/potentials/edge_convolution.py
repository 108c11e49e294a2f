"""SevenNet's convolution on processors: the numbers of its own in about a third of the time.

A convolution multiplies the features of an atom's neighbours with the spherical harmonics of the
way there (Clebsch-Gordan products) and with learned weights of the distance, and sums over the
neighbours. SevenNet has faster kernels for graphics cards alone; e3nn's, which it uses otherwise,
spend most of their time reading and writing arrays that do not fit into a cache. Here

* edges are taken a few hundred at a time,
* channels lie innermost, so that multiplications by weights run over contiguous memory,
* the coefficients are contracted with the harmonics first, which have one channel.
"""

from typing import Any

import torch
from e3nn import o3
from e3nn.o3 import TensorProduct
from sevenn.nn.convolution import IrrepsConvolution
from torch import Tensor, nn

EDGES = 512
"""Edges taken at once: of 128, 256, 512 and 1,024 the fastest with 2 MB of cache for a core."""

Block = tuple[int, int]
"""Channels of an irreducible representation, and its components."""


def use_edge_convolutions(network: nn.Module) -> None:
    """Replace SevenNet's convolutions in a network where they can be."""
    for name, part in network.named_children():
        if isinstance(part, IrrepsConvolution) and _is_plain(part):
            setattr(network, name, EdgeConvolution(part))


class EdgeConvolution(nn.Module):
    """Does what a convolution of SevenNet does, with its weights.

    Args:
        convolution: the convolution, with products of many channels by one.
    """

    def __init__(self, convolution: Any) -> None:
        super().__init__()
        self._own = convolution
        self._product = EdgeProduct(convolution.convolution)

    def forward(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        """Replace the features of atoms, shape (n, channels), by those of their neighbours."""
        own, product = self._own, self._product
        to, of = data[own.key_edge_idx]
        edges = zip(
            torch.split(to, EDGES),
            torch.split(of, EDGES),
            torch.split(data[own.key_filter], EDGES),
            torch.split(data[own.key_weight_input], EDGES),
            strict=True,
        )
        features = _transposed(data[own.key_x], product.before)
        sums = features.new_zeros(len(features), product.size)
        for target, source, harmonics, distance in edges:
            message = product(features.index_select(0, source), harmonics, own.weight_nn(distance))
            sums = sums.index_add(0, target, message)
        channels_outermost = [(components, channels) for channels, components in product.after]
        data[own.key_x] = _transposed(sums.div(own.denominator), channels_outermost)
        return data


class EdgeProduct(nn.Module):
    """Weighted product of features with spherical harmonics, components before channels.

    Args:
        product: e3nn's product, every path "uvu" with one channel of harmonics.
    """

    def __init__(self, product: TensorProduct) -> None:
        super().__init__()
        self.before = _blocks(product.irreps_in1)
        """Blocks of the features."""
        self.after = _blocks(product.irreps_out)
        """Blocks of the result."""
        self.size = product.irreps_out.dim
        """Components times channels of the result, all blocks."""
        paths = product.instructions
        self._channels = [self.before[path.i_in1][0] for path in paths]
        self._of_block = [
            [number for number, path in enumerate(paths) if path.i_in1 == block]
            for block in range(len(self.before))
        ]
        """Numbers of the paths that begin in each block of the features."""
        self._sizes = [
            [self.after[paths[number].i_out][1] for number in numbers] for numbers in self._of_block
        ]
        """Components of what each of these paths makes."""
        made = [paths[number].i_out for numbers in self._of_block for number in numbers]
        self._order = sorted(range(len(made)), key=made.__getitem__)
        for block, numbers in enumerate(self._of_block):
            found = [_coefficients(product, paths[number]) for number in numbers]
            self.register_buffer(f"_coefficients_{block}", torch.cat(found, 1).flatten(1))

    def forward(self, features: Tensor, harmonics: Tensor, weights: Tensor) -> Tensor:
        """Return the messages of edges, shape (edges, ``size``).

        Args:
            features: of the neighbours, shape (edges, components times channels).
            harmonics: shape (edges, components).
            weights: of the paths in e3nn's order, shape (edges, channels of all).
        """
        n = len(features)
        weight = torch.split(weights, self._channels, 1)
        parts = torch.split(features, [channels * size for channels, size in self.before], 1)
        messages: list[Tensor] = []
        for block, (channels, components) in enumerate(self.before):
            sizes = self._sizes[block]
            matrices = harmonics @ getattr(self, f"_coefficients_{block}")
            matrices = matrices.view(n, sum(sizes), components)
            part = parts[block].view(n, components, channels)
            # A matrix of one column is an outer product, which multiplication makes faster.
            products = matrices * part if components == 1 else torch.bmm(matrices, part)
            made = torch.split(products, sizes, 1)
            for number, each in zip(self._of_block[block], made, strict=True):
                messages.append((each * weight[number].unsqueeze(1)).flatten(1))
        return torch.cat([messages[k] for k in self._order], 1)


def _blocks(irreps: o3.Irreps) -> list[Block]:
    return [(each.mul, each.ir.dim) for each in irreps]


def _coefficients(product: TensorProduct, path: Any) -> Tensor:
    """Return a path's coefficients, shape (components of all harmonics, components of the result,
    components of the features)."""
    first, second = product.irreps_in1[path.i_in1].ir, product.irreps_in2[path.i_in2].ir
    result = product.irreps_out[path.i_out].ir
    found = torch.zeros(product.irreps_in2.dim, result.dim, first.dim)
    coefficients = o3.wigner_3j(first.l, second.l, result.l) * path.path_weight
    found[product.irreps_in2.slices()[path.i_in2]] = coefficients.permute(1, 2, 0)
    return found


def _is_plain(convolution: Any) -> bool:
    product = convolution.convolution
    return not convolution.is_parallel and all(
        path.connection_mode == "uvu"
        and path.has_weight
        and product.irreps_in2[path.i_in2].mul == 1
        for path in product.instructions
    )


def _transposed(values: Tensor, blocks: list[Block]) -> Tensor:
    """Return rows with the two axes of every block exchanged, shapes (n, sum of sizes)."""
    parts = torch.split(values, [a * b for a, b in blocks], 1)
    turned = [
        part.view(len(values), *block).transpose(1, 2).flatten(1)
        for part, block in zip(parts, blocks, strict=True)
    ]
    return torch.cat(turned, 1)
