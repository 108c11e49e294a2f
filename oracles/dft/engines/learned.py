"""What the engines share that are learned potentials, run by atomate2's force-field makers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from alloop.oracles.dft.engines.ase_engine import AseEngine
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.mlip.potentials.definition import LearnedPotential
from alloop.settings.profiles import Profile

ELASTIC_TOLERANCE = 0.005
"""Largest force left in a strained cell for the elastic tensor, eV/Å."""

MAX_STRESS = 0.05
"""Largest stress left in a relaxed cell, GPa: lengths are then good to 1e-4, whatever the cell that
a crystal is given in."""


class LearnedEngine(AseEngine, ABC):
    """Base of engines that are learned potentials trained on DFT; see ``Engine``. They are
    thousands of times cheaper than DFT, and what they give is a prediction of DFT, never a DFT
    result.
    """

    elastic_tolerance = ELASTIC_TOLERANCE
    max_stress = MAX_STRESS
    # Calculating all takes seconds. Strains that symmetry turns by the axes of a relaxed cell,
    # which are off by 1e-5, get components of 1e-7 that pymatgen's finite differences divide by.
    reduces_strains = False

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        super().__init__(options, profile)
        potential = self.potential()
        self.name = f"{potential.family} {self.model()}, a learned potential trained on DFT"

    @abstractmethod
    def model(self) -> str:
        """Return the model's name."""

    @abstractmethod
    def potential(self) -> LearnedPotential:
        """Return the potential of that name."""

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        self.potential().weights_file()
        self.potential().check(elements)

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``."""
        found = self.potential().weights_file()
        assert found is not None
        return {
            "engine": self._options.engine,
            **self.potential().versions(),
            "weights": found[1],
            "force_tolerance": self._options.force_tolerance,
            "max_stress": MAX_STRESS,
            "max_steps": self._options.max_steps,
        }


def calculator_of(potential: LearnedPotential) -> Any:
    """Return a potential's ASE calculator, with the weights of its wheel."""
    found = potential.weights_file()
    return potential.make(None if found is None else found[0])
