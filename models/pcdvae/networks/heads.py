"""Heads on z: number of atoms, cell, composition, properties, phase."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class HeadOutputs:
    """Outputs of the heads at latent points, in the network's standardised units."""

    count: Tensor
    """Logits of the allowed numbers of atoms, shape (..., counts)."""
    cell: Tensor
    """Standardised code of the cell, shape (..., 6)."""
    composition: Tensor
    """Logits of the elements, shape (..., elements)."""
    property_mean: Tensor
    """Standardised means of the properties, shape (..., p)."""
    property_log_variance: Tensor
    """Log-variances of the standardised values, shape (..., p)."""
    phase: Tensor
    """Logits of the phases, shape (..., phases)."""


class Heads(nn.Module):
    """One small network for each predicted quantity.

    Args:
        latent: size of z.
        width: hidden features.
        counts: allowed numbers of atoms.
        elements: kinds of atoms.
        properties: values to predict.
        phases: to choose between; 1 where the phase is not told.
    """

    def __init__(
        self, latent: int, width: int, *, counts: int, elements: int, properties: int, phases: int
    ) -> None:
        super().__init__()
        sizes = {
            "count": counts,
            "cell": 6,
            "composition": elements,
            "property": 2 * properties,
            "phase": phases,
        }
        self.parts = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, max(outputs, 1))
                )
                for name, outputs in sizes.items()
            }
        )

    @property
    def property_output(self) -> nn.Linear:
        """Output layer whose rows are the properties' means, then their log-variances."""
        part = self.parts["property"]
        assert isinstance(part, nn.Sequential)
        assert isinstance(part[-1], nn.Linear)
        return part[-1]

    def forward(self, z: Tensor) -> HeadOutputs:
        """Return the outputs at points of shape (..., latent)."""
        read = {name: part(z) for name, part in self.parts.items()}
        n_properties = read["property"].shape[-1] // 2
        return HeadOutputs(
            count=read["count"],
            cell=read["cell"],
            composition=read["composition"],
            property_mean=read["property"][..., :n_properties],
            property_log_variance=read["property"][..., n_properties : 2 * n_properties],
            phase=read["phase"],
        )
