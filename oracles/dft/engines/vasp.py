"""VASP as an engine: atomate2's makers, run by custodian."""

import shlex
import shutil
from collections.abc import Iterable
from copy import deepcopy
from importlib import import_module
from typing import Any

from atomate2 import SETTINGS
from atomate2.vasp.flows.core import DoubleRelaxMaker, UniformBandStructureMaker
from atomate2.vasp.flows.elastic import ElasticMaker
from atomate2.vasp.jobs.base import BaseVaspMaker
from atomate2.vasp.jobs.core import NonSCFMaker
from atomate2.vasp.run import DEFAULT_HANDLERS
from atomate2.vasp.sets.core import NonSCFSetGenerator
from custodian.vasp.handlers import WalltimeHandler
from jobflow import Flow, Job, Maker
from pymatgen.core import Structure
from pymatgen.io.vasp import PotcarSingle

from alloop.errors import MissingSoftware, SpecError
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.summaries import level_tags
from alloop.settings.profiles import Profile
from alloop.settings.settings_file import settings_path

GGA = {"PBE": "PE", "PBEsol": "PS"}
"""Names of functionals in an INCAR. atomate2's RelaxMaker by itself takes PBEsol."""

MAKERS = {
    "relax": "atomate2.vasp.jobs.core.RelaxMaker",
    "tight-relax": "atomate2.vasp.jobs.core.TightRelaxMaker",
    "mp-gga-relax": "atomate2.vasp.jobs.mp.MPGGARelaxMaker",
}
"""Import paths of the makers of the input sets that a spec may name."""

RESERVED = frozenset({"GGA", "ISPIN", "MAGMOM", "ISIF", "NSW", "IBRION", "EDIFFG"})
"""INCAR tags that other options set, or that would make another protocol of it."""

STOPPING_SHARE = 0.1
"""Share of the time left, at most 300 s, that VASP has to end by itself when it is told to."""


class VaspEngine:
    """See ``Engine``. The program is started without a shell; custodian watches it, corrects what
    it can, and tells it to stop before its time is over.
    """

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        self._options = options
        vasp = self._vasp = options.vasp
        self._settings, self._environment = profile.vasp, profile.environment
        if taken := sorted(RESERVED & set(vasp.incar)):
            raise SpecError(
                f"vasp.incar sets {', '.join(taken)}",
                where="tiers, vasp, incar",
                remedy="Use functional, spin, magmoms, max_steps and force_tolerance instead.",
            )
        self._generator = self._maker({}).input_set_generator
        self.name = f"VASP {vasp.functional} ({self._family})"

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        program = self._settings.command[0]
        if shutil.which(program, path=self._environment.get("PATH")) is None:
            raise MissingSoftware(
                f"there is no program {program!r}",
                where=f"{settings_path()}: profiles.{self._options.profile}.vasp.command",
                remedy="Load VASP's module, name its command there, or take engine: chgnet.",
            )
        for element in elements:
            self._check_potcar(element)

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``. Neither VASP's version nor its POTCARs' text is among them,
        since both are known only where VASP runs.
        """
        generator = self._generator
        return {
            "engine": "vasp",
            "maker": MAKERS[self._vasp.inputs],
            "set": generator.config_dict,
            "incar": [generator.incar_updates, generator.user_incar_settings],
            "kpoints": [generator.kpoints_updates, generator.user_kpoints_settings],
            "everywhere": SETTINGS.VASP_INCAR_UPDATES,
            "potcars": [self._family, generator.user_potcar_settings],
            "read": ["band_gap"],
        }

    def relaxation(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """Return two relaxations, since the basis set is that of the cell each begins with."""
        relax = self._maker({}, seconds=seconds)
        return DoubleRelaxMaker.from_relax_maker(relax).make(structure)

    def fixed_cell(self, structure: Structure, *, seconds: float) -> Maker:
        """See ``Engine.fixed_cell``."""
        maker = self._maker({"ISIF": 2}, seconds=seconds)
        # A strain may change the number of k-points, and the pressure with it.
        kpoints = maker.input_set_generator.get_input_set(structure, potcar_spec=True).kpoints
        if kpoints is not None:
            maker.input_set_generator.user_kpoints_settings = kpoints
        return maker

    def single_point(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """See ``Engine.single_point``."""
        return self._maker({"NSW": 0, "IBRION": -1}, seconds=seconds).make(structure)

    def elasticity(
        self, structure: Structure, *, stress: list[list[float]], seconds: float
    ) -> Flow:
        """See ``Engine.elasticity``."""
        strained = self.fixed_cell(structure, seconds=seconds)
        maker = ElasticMaker(bulk_relax_maker=None, elastic_relax_maker=strained)
        return maker.make(structure, equilibrium_stress=stress)

    def bands(self, structure: Structure, *, density: float, seconds: float) -> Flow:
        """See ``BandEngine.bands``."""
        fixed = {"NSW": 0, "IBRION": -1}
        dense = NonSCFMaker(
            input_set_generator=NonSCFSetGenerator(
                mode="uniform",
                reciprocal_density=density,
                reciprocal_density_metal=density,
                config_dict=self._generator.config_dict,
            ),
            # What reads the bands reads the file.
            task_document_kwargs={"parse_dos": False, "parse_bandstructure": False},
        )
        maker = UniformBandStructureMaker(
            static_maker=self._maker({**fixed, "LCHARG": True}, seconds=seconds),
            bs_maker=self._over(dense, fixed, seconds=seconds),
        )
        return maker.make(structure)

    def reading(self, output: Any) -> dict[str, Any]:
        """See ``Engine.reading``."""
        last = output.calcs_reversed[0]
        return {
            "structure": output.structure,
            "energy": output.output.energy,
            "band_gap": output.output.bandgap,
            "forces": output.output.forces,
            "stress": output.output.stress,
            "state": output.state,
            "custodian": output.custodian,
            "moment_density": last.output.mag_density,
            "pseudopotentials": last.input.potcar_spec,
            "incar": last.input.incar,
        }

    def identity(self, structure: Structure) -> dict[str, Any]:
        """Return the POTCARs and the tags that custodian's corrections must not have changed."""
        symbols = dict.fromkeys(site.specie.symbol for site in structure)
        incar = self._generator.get_input_set(structure, potcar_spec=True).incar
        return {
            "pseudopotentials": [self._potcar(symbol) for symbol in symbols],
            "tags": level_tags(incar),
        }

    @property
    def _family(self) -> str:
        return str(self._vasp.potcar_family or self._generator.config_dict["POTCAR_FUNCTIONAL"])

    def _potcar(self, element: str) -> str:
        return str(
            self._vasp.potcars.get(element) or self._generator.config_dict["POTCAR"][element]
        )

    def _check_potcar(self, element: str) -> None:
        if element not in self._vasp.potcars | self._generator.config_dict["POTCAR"]:
            raise SpecError(
                f"no POTCAR is known for {element}", remedy=f"Write potcars: {{{element}: ...}}."
            )
        if self._settings.potcar_spec:
            return
        name = self._potcar(element)
        try:
            PotcarSingle.from_symbol_and_functional(name, self._family)
        except (ValueError, OSError) as error:
            raise MissingSoftware(
                f"there is no POTCAR {name} of {self._family}",
                where="tiers, vasp, potcars",
                remedy="Set PMG_VASP_PSP_DIR in ~/.config/.pmgrc.yaml to the folder that "
                "`pmg config -p` made, or take engine: chgnet.",
            ) from error

    def _maker(self, incar: dict[str, Any], *, seconds: float | None = None) -> BaseVaspMaker:
        """Return the maker of the spec's input set with settings of our own over its."""
        module, name = MAKERS[self._vasp.inputs].rsplit(".", 1)
        maker: BaseVaspMaker = getattr(import_module(module), name)()
        generator = maker.input_set_generator = deepcopy(maker.input_set_generator)
        if self._vasp.kpoints:
            generator.user_kpoints_settings = dict(self._vasp.kpoints)
        return self._over(maker, incar, seconds=seconds)

    def _over(
        self, maker: BaseVaspMaker, incar: dict[str, Any], *, seconds: float | None
    ) -> BaseVaspMaker:
        """Return a maker with the spec's level of theory and the settings over its own."""
        vasp, settings = self._vasp, self._settings
        generator = maker.input_set_generator
        ours = {
            "GGA": GGA[vasp.functional],
            "ISPIN": 2 if self._options.spin else 1,
            "NSW": self._options.max_steps,
            "EDIFFG": -self._options.force_tolerance,
        }
        generator.user_incar_settings = {
            **generator.user_incar_settings,
            **vasp.incar,
            **ours,
            **incar,
        }
        generator.user_potcar_settings = dict(vasp.potcars)
        if vasp.potcar_family is not None:
            generator.user_potcar_functional = vasp.potcar_family
        maker.write_input_set_kwargs = {"potcar_spec": self._settings.potcar_spec}
        maker.stop_children_kwargs = {"handle_unsuccessful": "error"}
        maker.run_vasp_kwargs = {
            # atomate2 reads its own settings of these when it is imported.
            "vasp_cmd": shlex.join(settings.command),
            "vasp_gamma_cmd": shlex.join(settings.gamma_command or settings.command),
            "custodian_kwargs": {"polling_time_step": settings.poll},
        }
        if seconds is not None:
            buffer = min(300.0, STOPPING_SHARE * seconds)
            stop = WalltimeHandler(wall_time=int(seconds), buffer_time=buffer)
            maker.run_vasp_kwargs["handlers"] = [*DEFAULT_HANDLERS, stop]
        return maker
