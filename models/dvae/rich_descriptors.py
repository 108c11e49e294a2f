"""More of what decides whether metals mix: pairs of elements, stability, dominance, structure."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from alloop.models.dvae.descriptors import EIGHT, EightDescriptors, SeenByAll, root, tensor_of
from alloop.models.dvae.elements import ElementTable, element_table

_PAIRWISE = (
    "size_mismatch",
    "electronegativity_gap",
    "valence_gap",
    "volume_mismatch",
    "structure_match",
)
_STRUCTURES = {"fcc": 225, "bcc": 229, "hcp": 194}
_LARGEST = 4


class RichDescriptors(SeenByAll):
    """The eight, what pairs of elements think of each other, and the element fractions.

    Averages hide that one bad pair is enough to part an alloy. So, over the pairs of elements
    present: the largest, the smallest and the c_i c_j-weighted sum of their differences in radius,
    electronegativity, valence electrons and atomic volume (the Hume-Rothery rules, pair by pair),
    and of whether they share a ground-state structure; the strongest attraction and repulsion
    4 c_i c_j H_ij. Of stability: forms of Ω = T_m ΔS/|ΔH| (X. Yang and Y. Zhang, Mater. Chem. Phys.
    132 (2012) 233), of Λ = ΔS/δ² (A. Singh et al., Intermetallics 53 (2014) 112), and T_m ΔS − ΔH
    with ΔH replaced by Σ 4 c_i c_j |H_ij| and by the strongest attraction. Of dominance: the
    largest four fractions, the smallest, and the number of elements.
    """

    def __init__(self, elements: Sequence[str]) -> None:
        super().__init__()
        table = element_table(elements)
        self.eight = EightDescriptors(elements)
        self.names = (*EIGHT, *_names(), *(f"fraction_{symbol}" for symbol in elements))
        first, second = np.triu_indices(len(elements), k=1)
        enthalpy = table.mixing_enthalpy[first, second]
        gaps = tensor_of(_gaps(table)[:, first, second].T.copy())  # (pairs, 5)
        buffers = {
            "gaps": gaps,
            "rising": gaps.argsort(dim=0, stable=True),
            "pair_enthalpy": tensor_of(enthalpy),
            "radius": tensor_of(np.cbrt(table.atomic_volume)),
            "valence": tensor_of(table.valence_electrons),
            "structure": tensor_of(_structures(table)),
            "first": torch.from_numpy(first),
            "second": torch.from_numpy(second),
        }
        buffers["falling"] = buffers["rising"].flip(0)
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor, persistent=False)

    gaps: Tensor
    rising: Tensor
    """Pairs by each of their gaps, the smallest first, shape (pairs, 5)."""
    falling: Tensor
    pair_enthalpy: Tensor
    radius: Tensor
    valence: Tensor
    structure: Tensor
    first: Tensor
    second: Tensor

    def forward(self, fractions: Tensor) -> Tensor:
        """Return descriptors (n, m) of element fractions (n, e) that sum to one."""
        eight = self.eight(fractions)
        weights = fractions.index_select(1, self.first) * fractions.index_select(1, self.second)
        parts = [
            eight,
            self._pairs(weights),
            self._stability(eight, weights),
            self._spreads(fractions),
            _dominance(fractions),
            fractions @ self.structure,
            fractions,
        ]
        return torch.cat(parts, -1)

    def _pairs(self, weights: Tensor) -> Tensor:
        present = (weights > 0).to(torch.uint8)
        high, low = self._first(present, self.falling), self._first(present, self.rising)
        # A pure element has no pairs, and nothing in it differs.
        has_pairs = present.any(1, keepdim=True)
        return torch.cat([high * has_pairs, low * has_pairs, 2 * weights @ self.gaps], -1)

    def _first(self, present: Tensor, order: Tensor) -> Tensor:
        """Return, for each kind of gap, that of the first pair present in an order, (n, 5)."""
        if present.all():  # as in what a decoder gives before traces are left out
            return self.gaps.gather(0, order[:1]).expand(len(present), -1)
        columns = [
            self.gaps[pairs[present[:, pairs].argmax(1)], kind]
            for kind, pairs in enumerate(order.T)
        ]
        return torch.stack(columns, -1)

    def _stability(self, eight: Tensor, weights: Tensor) -> Tensor:
        melting, delta, entropy, enthalpy = (eight[:, i] for i in (2, 4, 6, 7))
        gain = melting * entropy / 1000  # kJ/mol
        each = 4 * weights * self.pair_enthalpy
        attraction, repulsion = each.amin(-1), each.amax(-1)
        strongest = torch.maximum(attraction.abs(), repulsion.abs())
        columns = [
            attraction,
            repulsion,
            torch.log((gain + 0.1) / (enthalpy.abs() + 1)),
            entropy / (delta.square() + 1),
            gain - enthalpy,
            gain - each.abs().sum(-1),
            gain + attraction,
            (gain + 0.01) / (strongest + 0.5),
        ]
        return torch.stack(columns, -1)

    def _spreads(self, fractions: Tensor) -> Tensor:
        radius = (fractions @ self.radius)[:, None]
        valence = (fractions @ self.valence)[:, None]
        volume = (fractions * (1 - self.radius / radius).square()).sum(-1)
        electrons = (fractions * (self.valence - valence).square()).sum(-1)
        return torch.stack([100 * root(volume), root(electrons)], -1)


def _dominance(fractions: Tensor) -> Tensor:
    present = fractions > 0
    smallest = torch.where(present, fractions, torch.inf).amin(-1)
    largest = fractions.topk(min(_LARGEST, fractions.shape[-1]), -1).values
    largest = nn.functional.pad(largest, (0, _LARGEST - largest.shape[-1]))
    count = present.sum(-1).to(fractions)
    return torch.cat([largest, smallest[:, None], count[:, None]], -1)


def _gaps(table: ElementTable) -> np.ndarray:
    radius = np.cbrt(table.atomic_volume)
    return np.stack(
        [
            _relative_gap(table.radius),
            np.abs(np.subtract.outer(table.electronegativity, table.electronegativity)),
            np.abs(np.subtract.outer(table.valence_electrons, table.valence_electrons)),
            _relative_gap(radius),
            np.equal.outer(table.space_group, table.space_group).astype(float),
        ]
    )


def _relative_gap(values: np.ndarray) -> np.ndarray:
    return 2 * np.abs(np.subtract.outer(values, values)) / np.add.outer(values, values)


def _structures(table: ElementTable) -> np.ndarray:
    return np.stack([table.space_group == number for number in _STRUCTURES.values()], 1).astype(
        float
    )


def _names() -> tuple[str, ...]:
    pairs = [f"pair_{name}_{part}" for part in ("largest", "smallest", "sum") for name in _PAIRWISE]
    stability = [
        "strongest_attraction",
        "strongest_repulsion",
        "log_omega",
        "lambda",
        "gain_less_enthalpy",
        "gain_less_absolute_enthalpy",
        "gain_less_attraction",
        "gain_over_strongest",
    ]
    dominance = [f"fraction_{i + 1}_of_{_LARGEST}" for i in range(_LARGEST)]
    return (
        *pairs,
        *stability,
        "volume_difference",
        "valence_difference",
        *dominance,
        "smallest_fraction",
        "number_of_elements",
        *(f"share_{name}" for name in _STRUCTURES),
    )
