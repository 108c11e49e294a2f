"""What the engines share that are learned potentials, run by atomate2's force-field makers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from atomate2.forcefields.jobs import ForceFieldRelaxMaker
from pymatgen.core import Structure

from alloop.oracles.dft.engines.ase_engine import AseEngine, maker_settings
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.mlip.potentials.definition import LearnedPotential
from alloop.settings.profiles import Profile

ELASTIC_TOLERANCE = 0.005
"""Largest force left in a strained cell for the elastic tensor, eV/Å."""

MAX_STRESS = 0.05
"""Largest stress left in a relaxed cell, GPa: lengths are then good to 1e-4, whatever the cell that
a crystal is given in."""


@dataclass
class LearnedRelaxMaker(ForceFieldRelaxMaker):
    """Relaxes with a learned potential; its checkpoint is read as tensors and never unpickled."""

    model: str = ""

    potentials: ClassVar[Mapping[str, LearnedPotential]]
    """Potentials by the names of their models."""

    def _get_calculator(self) -> Any:
        potential = self.potentials[self.model]
        found = potential.weights_file()
        return potential.make(None if found is None else found[0])


class LearnedEngine(AseEngine):
    """Base of engines that are learned potentials trained on DFT; see ``Engine``. They are
    thousands of times cheaper than DFT, and what they give is a prediction of DFT, never a DFT
    result.
    """

    relax_maker: type[LearnedRelaxMaker]
    """Maker of its jobs."""

    elastic_tolerance = ELASTIC_TOLERANCE
    max_stress = MAX_STRESS
    # Calculating all takes seconds. Strains that symmetry turns by the axes of a relaxed cell,
    # which are off by 1e-5, get components of 1e-7 that pymatgen's finite differences divide by.
    reduces_strains = False

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        super().__init__(options, profile)
        assert options.learned_model is not None
        self._model = options.learned_model
        self._potential = self.relax_maker.potentials[self._model]
        self.name = f"{self._potential.family} {self._model}, a learned potential trained on DFT"

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> LearnedRelaxMaker:
        """See ``AseEngine.maker``."""
        settings = maker_settings(
            structure, relax_cell=relax_cell, steps=steps, tolerance=tolerance
        )
        return self.relax_maker(model=self._model, **settings)

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        self._potential.weights_file()
        self._potential.check(elements)

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``."""
        found = self._potential.weights_file()
        assert found is not None
        return {
            "engine": self._options.engine,
            **self._potential.versions(),
            "weights": found[1],
            "force_tolerance": self._options.force_tolerance,
            "max_stress": MAX_STRESS,
            "max_steps": self._options.max_steps,
        }
