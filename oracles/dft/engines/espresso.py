"""Quantum ESPRESSO as an engine: pw.x through ASE, relaxed by atomate2's ASE makers."""

import math
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jobflow import Flow
from pymatgen.core import Structure
from pymatgen.io.vasp import Kpoints

from alloop.canonical import sha256
from alloop.errors import MissingSoftware, SpecError
from alloop.oracles.dft.engines.ase_engine import AseEngine, maker_settings
from alloop.oracles.dft.engines.espresso_makers import EspressoBandsMaker, EspressoRelaxMaker
from alloop.oracles.dft.options import DftOptions
from alloop.settings.profiles import Profile
from alloop.settings.settings_file import settings_path

LOWEST_CUTOFFS = (30.0, 240.0)
"""Least cutoffs of wave functions and density, Ry, required where a pseudopotential suggests none:
what ultrasoft ones of 3d metals need at the least."""
LOWEST_NORM_CONSERVING = (20.0, 80.0)
"""Least cutoffs with norm-conserving pseudopotentials, Ry: the package has them for light elements
of the main groups. Their densities need four times the cutoff of the wave functions, and no more.
"""

RESERVED = frozenset({"ecutwfc", "ecutrho", "nspin", "occupations", "degauss", "smearing", "ibrav"})
"""Keys of &SYSTEM that other options set."""

START_LIMIT = 60.0
"""Time limit for pw.x to start and to find that it has nothing to do, s."""

_NAME_THE_PROGRAM = "Run `make espresso`, name the program there, or take engine: chgnet."

_SUGGESTION = re.compile(r"Suggested minimum cutoff for (wavefunctions|charge density):\s*([\d.]+)")
_VALENCE = re.compile(r'z_valence\s*=\s*"\s*([^"]+)"|([\d.]+)\s+Z valence', re.IGNORECASE)
_NORM_CONSERVING = re.compile(r'pseudo_type\s*=\s*"NC"|^\s*NC\s', re.IGNORECASE | re.MULTILINE)
_PROGRAM = re.compile(r"Program PWSCF\s+v\.(\S+)")
_HEADER = 20000
"""Number of characters of a pseudopotential file that hold its header."""


@dataclass(frozen=True)
class Pseudopotential:
    """Header of a UPF pseudopotential file; the rest is pw.x's."""

    path: Path
    cutoffs: tuple[float, float]
    """Suggested cutoffs of wave functions and density, Ry; zero where the file suggests none."""
    valence: float
    """Number of valence electrons."""
    norm_conserving: bool

    @property
    def lowest_cutoffs(self) -> tuple[float, float]:
        """Least cutoffs of wave functions and density, Ry: those suggested, if any are."""
        usual = LOWEST_NORM_CONSERVING if self.norm_conserving else LOWEST_CUTOFFS
        wave, density = (ry or low for ry, low in zip(self.cutoffs, usual, strict=True))
        return wave, density

    @classmethod
    def read(cls, path: Path) -> "Pseudopotential":
        """Read a file's header.

        Raises:
            MissingSoftware: if the file is not there or not UPF.
        """
        try:
            header = path.read_text("utf-8", "replace")[:_HEADER]
        except OSError as error:
            raise MissingSoftware(
                f"there is no such pseudopotential ({error.strerror})",
                where=str(path),
                remedy="Install quantum-espresso-data (`make espresso`), or name another file.",
            ) from error
        suggested = {what: float(ry) for what, ry in _SUGGESTION.findall(header)}
        valence = _VALENCE.search(header)
        if valence is None:
            raise MissingSoftware("this is no UPF pseudopotential", where=str(path))
        return cls(
            path,
            (suggested.get("wavefunctions", 0.0), suggested.get("charge density", 0.0)),
            float(valence[1] or valence[2]),
            _NORM_CONSERVING.search(header) is not None,
        )


class EspressoEngine(AseEngine):
    """See ``Engine``. One relaxation, since every step has a basis set of its own cell, and nothing
    is kept from one to the next.
    """

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        super().__init__(options, profile)
        self._espresso = options.espresso
        self._settings, self._environment = profile.espresso, profile.environment
        if taken := sorted(RESERVED & {name.lower() for name in self._espresso.system}):
            raise SpecError(
                f"espresso.system sets {', '.join(taken)}",
                where="tiers, espresso, system",
                remedy="Other options set these.",
            )

    @property
    def name(self) -> str:
        """See ``Engine.name``; pw.x is started to learn its version.

        Raises:
            MissingSoftware: if it does not start, or not as one program.
        """
        return f"Quantum ESPRESSO {self._version}"

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        self._require_program()
        wanted = (self._espresso.cutoff, self._espresso.density_cutoff)
        for element in elements:
            needed = self._pseudopotential(element).lowest_cutoffs
            if wanted[0] < needed[0] or wanted[1] < needed[1]:
                raise SpecError(
                    f"cutoffs of {wanted[0]:g} and {wanted[1]:g} Ry are below the {needed[0]:g} "
                    f"and {needed[1]:g} Ry that {element} needs",
                    where="tiers, espresso",
                    remedy="Raise cutoff and density_cutoff; below, cells can collapse unnoticed.",
                )

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``."""
        espresso = self._espresso
        files = {
            element: sha256((self._settings.pseudopotential_folder / name).read_bytes())
            for element, name in espresso.pseudopotentials.items()
            if (self._settings.pseudopotential_folder / name).exists()
        }
        return {
            "engine": "espresso",
            "version": self._version,
            "pseudopotentials": files,
            "input": self._input(1),
            "kspacing": espresso.kspacing,
            "force_tolerance": self._options.force_tolerance,
            "max_steps": self._options.max_steps,
            "read": ["band_gap"],
        }

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> EspressoRelaxMaker:
        """See ``AseEngine.maker``."""
        return EspressoRelaxMaker(
            **self._program(structure),
            **maker_settings(structure, relax_cell=relax_cell, steps=steps, tolerance=tolerance),
        )

    def bands(self, structure: Structure, *, density: float, seconds: float) -> Flow:
        """See ``BandEngine.bands``."""
        del seconds
        tolerance = self._options.force_tolerance
        settings = maker_settings(structure, relax_cell=False, steps=1, tolerance=tolerance)
        mesh = Kpoints.automatic_density_by_vol(structure, round(density), force_gamma=True)
        dense = mesh.kpts[0]
        maker = EspressoBandsMaker(
            **self._program(structure), **settings, dense=(dense[0], dense[1], dense[2])
        )
        job = maker.make(structure)
        return Flow([job], output=job.output)

    def reading(self, output: Any) -> dict[str, Any]:
        """See ``Engine.reading``."""
        return {**super().reading(output), "folder": output.dir_name}

    def _program(self, structure: Structure) -> dict[str, Any]:
        """Return the arguments of ``EspressoRelaxMaker`` that say how pw.x is run, and on what."""
        elements = sorted({site.specie.symbol for site in structure})
        return {
            "command": shlex.join(self._settings.command),
            "folder": str(self._settings.pseudopotential_folder),
            "pseudopotentials": {el: self._espresso.pseudopotentials[el] for el in elements},
            "valences": {el: self._pseudopotential(el).valence for el in elements},
            "input_data": self._input(len(structure)),
            "mesh": mesh_of(structure, self._espresso.kspacing),
        }

    @cached_property
    def _version(self) -> str:
        """Return the version of pw.x, from what it prints when it has nothing to do.

        Raises:
            MissingSoftware: if it does not start, or not as one program.
        """
        self._require_program()
        command, where = self._settings.command, self._place
        versions = _PROGRAM.findall(_printed_by(command, self._environment, where))
        if not versions:
            raise MissingSoftware(
                f"{command[-1]!r} is not pw.x", where=where, remedy=_NAME_THE_PROGRAM
            )
        if len(versions) > 1:
            raise MissingSoftware(
                f"{shlex.join(command)!r} starts pw.x {len(versions)} times, not once in parallel",
                where=where,
                remedy="Take the mpirun of the MPI that pw.x was built with, e.g. mpirun.openmpi.",
            )
        return str(versions[0])

    @property
    def _place(self) -> str:
        """Key of the settings that names the program."""
        return f"{settings_path()}: profiles.{self._options.profile}.espresso.command"

    def _require_program(self) -> None:
        program = self._settings.command[0]
        if shutil.which(program, path=self._environment.get("PATH")) is None:
            raise MissingSoftware(
                f"there is no program {program!r}", where=self._place, remedy=_NAME_THE_PROGRAM
            )

    def _pseudopotential(self, element: str) -> Pseudopotential:
        name = self._espresso.pseudopotentials.get(element)
        if name is None:
            raise SpecError(
                f"no pseudopotential is named for {element}",
                where="tiers, espresso, pseudopotentials",
                remedy=f"Write {{{element}: FILE.UPF}}.",
            )
        return Pseudopotential.read(self._settings.pseudopotential_folder / name)

    def _input(self, n_atoms: int) -> dict[str, Any]:
        espresso = self._espresso
        return {
            "control": {
                "tprnfor": True,
                "tstress": True,
                "disk_io": "none",
                "verbosity": "high",  # the energies of all bands
            },
            "system": {
                "ecutwfc": espresso.cutoff,
                "ecutrho": espresso.density_cutoff,
                "occupations": "smearing",
                "smearing": "cold",
                "degauss": espresso.smearing,
                "nspin": 2 if self._options.spin else 1,
                **espresso.system,
            },
            # Ry, of the cell.
            "electrons": {"conv_thr": 1e-7 * n_atoms, "mixing_beta": 0.3, "electron_maxstep": 200},
        }


def _printed_by(command: Sequence[str], environment: Mapping[str, str], where: str) -> str:
    """Return the output of a program that is given nothing to read."""
    with tempfile.TemporaryDirectory() as folder:  # pw.x leaves a file behind
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                env={**os.environ, **environment},
                timeout=START_LIMIT,
            )
        except subprocess.TimeoutExpired as error:
            raise MissingSoftware(
                f"{shlex.join(command)!r} does not end within {START_LIMIT:g} s",
                where=where,
                remedy="Take the mpirun of the MPI that pw.x was built with, e.g. mpirun.openmpi.",
            ) from error
    return ended.stdout


def mesh_of(structure: Structure, kspacing: float) -> tuple[int, int, int]:
    """Return a Γ-centred mesh whose steps are at most ``kspacing`` in 1/Å, 2π included. (ASE's own
    kspacing leaves 2π out.)
    """
    lengths = structure.lattice.reciprocal_lattice.abc
    first, second, third = (max(1, math.ceil(length / kspacing - 1e-9)) for length in lengths)
    return first, second, third
