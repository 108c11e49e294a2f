"""Makers of jobs that run pw.x through ASE."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.espresso import Espresso, EspressoProfile
from atomate2.ase.jobs import AseRelaxMaker
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.oracles.dft.engines.espresso_output import OUTPUT, SELF_CONSISTENT


@dataclass
class EspressoRelaxMaker(AseRelaxMaker):
    """Relaxes with pw.x, each force a run of its own.

    Moments are the structure's ``magmom`` in µB. ASE hands them on as they are, while pw.x takes
    fractions of the valence.
    """

    name: str = "Quantum ESPRESSO relax"
    command: str = "pw.x"
    folder: str = ""
    pseudopotentials: dict[str, str] = field(default_factory=dict)
    valences: dict[str, float] = field(default_factory=dict)
    input_data: dict[str, Any] = field(default_factory=dict)
    mesh: tuple[int, int, int] = (1, 1, 1)

    def run_ase(self, mol_or_struct: Structure, prev_dir: Any = None) -> Any:
        """Relax a structure in the current folder."""
        return super().run_ase(self._with_fractions(mol_or_struct), prev_dir)

    def _with_fractions(self, structure: Structure) -> Structure:
        moments = structure.site_properties.get("magmom")
        if not moments:
            return structure
        fractions = [
            float(np.clip(moment / self.valences[site.specie.symbol], -1.0, 1.0))
            for site, moment in zip(structure, moments, strict=True)
        ]
        return structure.copy(site_properties={"magmom": fractions})

    def _get_calculator(self) -> Any:
        return self._pw(self.mesh, {})

    def _pw(self, mesh: tuple[int, int, int], control: dict[str, Any]) -> Espresso:
        """Return the calculator with a mesh, and with keys of &CONTROL over the others."""
        control = {**self.input_data["control"], **control}
        return Espresso(
            profile=EspressoProfile(command=self.command, pseudo_dir=self.folder),
            directory=Path.cwd(),
            pseudopotentials=self.pseudopotentials,
            kpts=tuple(mesh),
            input_data={**self.input_data, "control": control},
        )


@dataclass
class EspressoBandsMaker(EspressoRelaxMaker):
    """Calculates a cell as it is, then its bands on a dense mesh in the same potential. The latter
    stand in the output that is left in the job's folder; the job's result is of the former.
    """

    name: str = "Quantum ESPRESSO bands"
    dense: tuple[int, int, int] = (1, 1, 1)

    def run_ase(self, mol_or_struct: Structure, prev_dir: Any = None) -> Any:
        """Run pw.x twice in the current folder."""
        found = super().run_ase(mol_or_struct, prev_dir)
        Path(OUTPUT).rename(SELF_CONSISTENT)
        bands = {"calculation": "nscf", "tprnfor": False, "tstress": False, "disk_io": "low"}
        pw = self._pw(self.dense, bands)
        atoms = AseAtomsAdaptor.get_atoms(self._with_fractions(mol_or_struct))
        pw.template.write_input(pw.profile, Path.cwd(), atoms, pw.parameters, [])
        pw.template.execute(Path.cwd(), pw.profile)
        # Wave functions and density, which nobody reads any more, are large.
        for path in Path.cwd().glob("pwscf.*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return found

    def _get_calculator(self) -> Any:
        return self._pw(self.mesh, {"disk_io": "low"})
