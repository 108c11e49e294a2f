"""CHGNet with forces and stress from one pass back through its network, where its own takes two.

Its own also keeps what a fit of forces would need, slopes of slopes; nothing is fitted here.
"""

from typing import Any

import torch
from ase.units import GPa
from chgnet.model import CHGNet
from torch import Tensor


class OnePassCHGNet(CHGNet):
    """CHGNet, evaluated alone."""

    def _compute(
        self,
        g: Any,
        *,
        compute_force: bool = False,
        compute_stress: bool = False,
        **others: bool,
    ) -> dict[str, Any]:
        """Return energies, by the atom where the network gives them so, and what else is asked for:
        forces, eV/Å, and stresses, GPa, of each crystal of a batch."""
        found: dict[str, Any] = super()._compute(g, **others)
        if not (compute_force or compute_stress):
            return found
        energies: Tensor = found["e"]
        if self.is_intensive:
            energies = energies * torch.bincount(g.atom_owners)
        positions = list(g.atom_positions) if compute_force else []
        strains = list(g.strains) if compute_stress else []
        slopes = torch.autograd.grad(energies.sum(), [*positions, *strains])
        if compute_force:
            found["f"] = [-slope for slope in slopes[: len(positions)]]
        if compute_stress:
            of_strains = slopes[len(positions) :]
            found["s"] = [
                slope / (volume * GPa) for slope, volume in zip(of_strains, g.volumes, strict=True)
            ]
        return found
