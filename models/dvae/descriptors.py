"""f(x) of Eq. 4: descriptors of an alloy from its element fractions, differentiable throughout."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from alloop.models.dvae.elements import ElementTable, element_table

GAS_CONSTANT = 8.31446261815324
"""J/(mol K), CODATA 2018."""
EIGHT = (
    "bulk_modulus",
    "molar_volume",
    "melting_temperature",
    "valence_electron_concentration",
    "atomic_size_difference",
    "electronegativity_difference",
    "mixing_entropy",
    "mixing_enthalpy",
)
"""The paper's descriptors (section 2.1), in GPa, cm³/mol, K, –, %, –, J/(mol K), kJ/mol."""
_PAIRWISE = (
    "size_mismatch",
    "electronegativity_gap",
    "valence_gap",
    "volume_mismatch",
    "structure_match",
)
_STRUCTURES = {"fcc": 225, "bcc": 229, "hcp": 194}
_LARGEST = 4


class EightDescriptors(nn.Module):
    """The eight descriptors of the paper, with c_i the fraction of element i:

    - bulk modulus, molar volume, melting temperature, valence electron concentration: Σ c_i p_i;
    - atomic size difference: 100 √(Σ c_i (1 − r_i/r̄)²), r̄ = Σ c_i r_i (Y. Zhang et al., Adv. Eng.
      Mater. 10 (2008) 534);
    - electronegativity difference: √(Σ c_i (χ_i − χ̄)²) (S. Fang et al., J. Non-Cryst. Solids 321
      (2003) 120);
    - mixing entropy: −R Σ c_i ln c_i;
    - mixing enthalpy: Σ_{i<j} 4 H_ij c_i c_j (A. Takeuchi and A. Inoue, Mater. Trans. 46 (2005)
      2817).
    """

    def __init__(self, elements: Sequence[str]) -> None:
        super().__init__()
        self.names: tuple[str, ...] = EIGHT
        table = element_table(elements)
        means = np.stack(
            [table.bulk_modulus, table.molar_volume, table.melting_point, table.valence_electrons],
            axis=1,
        )
        self.register_buffer("means", tensor_of(means), persistent=False)
        self.register_buffer("radius", tensor_of(table.radius), persistent=False)
        self.register_buffer("chi", tensor_of(table.electronegativity), persistent=False)
        self.register_buffer("enthalpy", tensor_of(table.mixing_enthalpy), persistent=False)

    means: Tensor
    radius: Tensor
    chi: Tensor
    enthalpy: Tensor

    def forward(self, fractions: Tensor) -> Tensor:
        """Return descriptors (..., 8) of element fractions (..., e) that sum to one."""
        radius = fractions @ self.radius
        mismatch = (1 - self.radius / radius[..., None]) ** 2
        chi = (self.chi - (fractions @ self.chi)[..., None]) ** 2
        # Clamped, because the slope of x ln x at nought is infinite.
        entropy = -GAS_CONSTANT * (fractions * fractions.clamp_min(1e-9).log()).sum(-1)
        # Every pair comes up twice in the full sum, so 4 Σ_{i<j} is 2 Σ_{ij}.
        enthalpy = 2 * ((fractions @ self.enthalpy) * fractions).sum(-1)
        others = (
            100 * root((fractions * mismatch).sum(-1)),
            root((fractions * chi).sum(-1)),
            entropy,
            enthalpy,
        )
        return torch.cat([fractions @ self.means, torch.stack(others, -1)], -1)


class RichDescriptors(nn.Module):
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
        self.names: tuple[str, ...] = (
            *EIGHT,
            *_names(),
            *(f"fraction_{symbol}" for symbol in elements),
        )
        first, second = np.triu_indices(len(elements), k=1)
        enthalpy = table.mixing_enthalpy[first, second]
        gaps = tensor_of(_gaps(table)[:, first, second].T.copy())  # (pairs, 5)
        buffers = {
            "gaps": gaps,
            "pair_enthalpy": tensor_of(enthalpy),
            "radius": tensor_of(np.cbrt(table.atomic_volume)),
            "valence": tensor_of(table.valence_electrons),
            "structure": tensor_of(_structures(table)),
            "first": torch.from_numpy(first),
            "second": torch.from_numpy(second),
        }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor, persistent=False)

    gaps: Tensor
    """Differences of each kind between the elements of a pair, shape (pairs, 5)."""
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
        present = weights > 0
        high = [torch.where(present, gap, -torch.inf).amax(1) for gap in self.gaps.T]
        low = [torch.where(present, gap, torch.inf).amin(1) for gap in self.gaps.T]
        # A pure element has no pairs, and nothing in it differs.
        extremes = torch.stack(high + low, -1).where(present.any(1, keepdim=True), 0.0)
        return torch.cat([extremes, 2 * weights @ self.gaps], -1)

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


def root(square: Tensor) -> Tensor:
    """Return the square root, with slope nought at nought."""
    # The slope of a root at nought is infinite; a pure element sits exactly there.
    return torch.where(square > 1e-10, square.clamp_min(1e-10).sqrt(), torch.zeros_like(square))


def tensor_of(values: np.ndarray) -> Tensor:
    """Return a float32 tensor."""
    return torch.from_numpy(values).float()
