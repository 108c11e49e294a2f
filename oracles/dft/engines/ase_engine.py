"""What engines share whose relaxations ASE steers through atomate2's makers."""

from abc import ABC, abstractmethod
from typing import Any

from ase import units
from atomate2.forcefields.flows.elastic import ElasticMaker
from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from alloop.oracles.dft.options import DftOptions
from alloop.oracles.relaxation_scales import CURVATURE, LONGEST_STEP, cell_scale, max_step
from alloop.settings.profiles import Profile


class AseEngine(ABC):
    """Base of engines that ASE steers; see ``Engine``. One relaxation of cell and atoms: every step
    has a basis set, if any, of its own cell, so there is nothing that a second one would renew.
    Time limits are the caller's."""

    elastic_tolerance: float | None = None
    """Largest force left in a strained cell for the elastic tensor, eV/Å; None for the same as in
    any relaxation."""

    max_stress: float | None = None
    """Largest stress left in a relaxed cell, GPa; None for what the force tolerance makes of it.
    ASE compares forces with stress times volume by ``cell_scale``, which in a small cell leaves a
    large stress."""

    reduces_strains = True
    """Whether strains are left out that symmetry makes of others."""

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        del profile  # what ASE runs in this process needs no program
        self._options = options

    @abstractmethod
    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> Maker:
        """Return a maker whose jobs relax a structure like this one.

        Args:
            structure: what depends on a cell, such as the k-point mesh, is this one's.
            relax_cell: whether the cell relaxes too.
            steps: most steps; 1 for a calculation of the cell as it is.
            tolerance: eV/Å, the largest force left over.
        """

    def relaxation(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """See ``Engine.relaxation``."""
        del seconds
        tolerance = self._options.force_tolerance
        if self.max_stress is not None:
            per_coordinate = units.GPa * structure.volume / cell_scale(len(structure))
            tolerance = min(tolerance, self.max_stress * per_coordinate)
        return self._relaxing(structure, relax_cell=True, tolerance=tolerance).make(structure)

    def fixed_cell(self, structure: Structure, *, seconds: float) -> Maker:
        """See ``Engine.fixed_cell``."""
        del seconds
        return self._relaxing(structure, relax_cell=False)

    def single_point(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """See ``Engine.single_point``."""
        del seconds
        return self._relaxing(structure, relax_cell=False, steps=1).make(structure)

    def elasticity(
        self, structure: Structure, *, stress: list[list[float]], seconds: float
    ) -> Flow:
        """See ``Engine.elasticity``."""
        del seconds
        strained = self._relaxing(structure, relax_cell=False, tolerance=self.elastic_tolerance)
        maker = ElasticMaker(
            bulk_relax_maker=None,
            elastic_relax_maker=strained,
            sym_reduce=self.reduces_strains,
            symprec=1e-2 if self.reduces_strains else None,
        )
        return maker.make(structure, equilibrium_stress=stress)

    def reading(self, output: Any) -> dict[str, Any]:
        """See ``Engine.reading``."""
        return {
            "structure": output.structure,
            "energy": output.output.energy,
            "forces": output.output.forces,
            "stress": output.output.stress,
            "state": output.state,
        }

    def identity(self, structure: Structure) -> dict[str, Any]:
        """Return nothing: what ASE runs cannot differ from what it was told."""
        del structure
        return {}

    def _relaxing(
        self,
        structure: Structure,
        *,
        relax_cell: bool,
        steps: int | None = None,
        tolerance: float | None = None,
    ) -> Maker:
        return self.maker(
            structure,
            relax_cell=relax_cell,
            steps=self._options.max_steps if steps is None else steps,
            tolerance=self._options.force_tolerance if tolerance is None else tolerance,
        )


def maker_settings(
    structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
) -> dict[str, Any]:
    """Return the arguments of atomate2's ASE makers that every engine sets alike."""
    return {
        "relax_cell": relax_cell,
        "steps": steps,
        "relax_kwargs": {
            "fmax": tolerance,
            "alpha": CURVATURE,
            "maxstep": max_step(len(structure)) if relax_cell else LONGEST_STEP,
            "final_atoms_object_file": None,
            "filter_kwargs": {"exp_cell_factor": cell_scale(len(structure))},
        },
        "optimizer_kwargs": {"optimizer": "LBFGS"},
        "ionic_step_data": ("energy", "stress"),
    }
