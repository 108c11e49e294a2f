"""f(x) of Eq. 4: descriptors of an alloy from its element fractions, differentiable throughout."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from alloop.models.dvae.elements import element_table
from alloop.models.dvae.views import Views

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


class SeenByAll(nn.Module):
    """Descriptors of which every part of a head sees all."""

    names: tuple[str, ...]

    @property
    def views(self) -> Views:
        """Return who sees what: every part of a head all of them."""
        return Views.of_all(len(self.names))

    def seen_by_networks(self, fractions: Tensor) -> Tensor:
        """Return the descriptors that networks see: all."""
        described: Tensor = self(fractions)
        return described


class EightDescriptors(SeenByAll):
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
        table = element_table(elements)
        means = np.stack(
            [table.bulk_modulus, table.molar_volume, table.melting_point, table.valence_electrons],
            axis=1,
        )
        self.names = EIGHT
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


def root(square: Tensor) -> Tensor:
    """Return the square root, with slope nought at nought."""
    # The slope of a root at nought is infinite; a pure element sits exactly there.
    return torch.where(square > 1e-10, square.clamp_min(1e-10).sqrt(), torch.zeros_like(square))


def tensor_of(values: np.ndarray) -> Tensor:
    """Return a float32 tensor."""
    return torch.from_numpy(values).float()
