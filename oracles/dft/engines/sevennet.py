"""SevenNet as an engine: a learned potential trained on DFT, run by atomate2's makers."""

from dataclasses import dataclass
from typing import Any

from atomate2.forcefields.jobs import ForceFieldRelaxMaker
from pymatgen.core import Structure

from alloop.oracles.dft.engines.ase_engine import maker_settings
from alloop.oracles.dft.engines.learned import LearnedEngine, calculator_of
from alloop.oracles.mlip.potentials.definition import LearnedPotential
from alloop.oracles.mlip.potentials.sevennet import BY_NAME


@dataclass
class SevennetRelaxMaker(ForceFieldRelaxMaker):
    """Relaxes with SevenNet; its checkpoint is read as tensors and never unpickled."""

    name: str = "SevenNet relax"
    force_field_name: str = "SevenNet"
    model: str = "7net-0"

    def _get_calculator(self) -> Any:
        return calculator_of(BY_NAME[self.model])


class SevennetEngine(LearnedEngine):
    """See ``Engine``."""

    def model(self) -> str:
        """See ``LearnedEngine.model``."""
        return self._options.sevennet.model

    def potential(self) -> LearnedPotential:
        """See ``LearnedEngine.potential``."""
        return BY_NAME[self.model()]

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> SevennetRelaxMaker:
        """See ``AseEngine.maker``."""
        settings = maker_settings(
            structure, relax_cell=relax_cell, steps=steps, tolerance=tolerance
        )
        return SevennetRelaxMaker(model=self.model(), **settings)
