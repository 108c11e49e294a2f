"""CHGNet as an engine: a learned potential trained on DFT, run by atomate2's makers."""

from dataclasses import dataclass
from typing import Any

from atomate2.forcefields.jobs import ForceFieldRelaxMaker
from pymatgen.core import Structure

from alloop.oracles.dft.engines.ase_engine import maker_settings
from alloop.oracles.dft.engines.learned import LearnedEngine, calculator_of
from alloop.oracles.mlip.potentials.chgnet import BY_VERSION
from alloop.oracles.mlip.potentials.definition import LearnedPotential


@dataclass
class ChgnetRelaxMaker(ForceFieldRelaxMaker):
    """Relaxes with CHGNet; its checkpoint is read as tensors and never unpickled."""

    name: str = "CHGNet relax"
    force_field_name: str = "CHGNet"
    model: str = "0.3.0"

    def _get_calculator(self) -> Any:
        return calculator_of(BY_VERSION[self.model])


class ChgnetEngine(LearnedEngine):
    """See ``Engine``.

    The atoms' magnetic moments are what CHGNet predicts from their surroundings, without signs,
    so there is no total moment.
    """

    def model(self) -> str:
        """See ``LearnedEngine.model``."""
        return self._options.chgnet.model

    def potential(self) -> LearnedPotential:
        """See ``LearnedEngine.potential``."""
        return BY_VERSION[self.model()]

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> ChgnetRelaxMaker:
        """See ``AseEngine.maker``."""
        settings = maker_settings(
            structure, relax_cell=relax_cell, steps=steps, tolerance=tolerance
        )
        return ChgnetRelaxMaker(model=self.model(), **settings)
