"""CHGNet as an engine: a learned potential trained on DFT (Deng et al., Nat. Mach. Intell. 5
(2023) 1031), run by atomate2's force-field makers. It is thousands of times cheaper than DFT, and
what it gives is a prediction of DFT, never a DFT result. Its energy surface is soft and not quite
smooth: the bulk modulus of fcc nickel comes out between 203 and 224 GPa for strains between 0.1 %
and 2 %, and forces of a relaxation below about 0.01 eV/Å say little.
"""

import contextlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any

from atomate2.forcefields.jobs import ForceFieldRelaxMaker
from pymatgen.core import Structure

from alloop.canonical import sha256
from alloop.oracles.dft.engines.ase_engine import AseEngine, maker_settings
from alloop.oracles.dft.engines.chgnet_weights import check_chgnet, checkpoint_of
from alloop.oracles.dft.options import DftOptions
from alloop.settings.profiles import Profile

ELASTIC_TOLERANCE = 0.005
"""Largest force left in a strained cell for the elastic tensor, eV/Å."""

MAX_STRESS = 0.02
"""Largest stress left in a relaxed cell, GPa: lengths are then good to 3e-5, whatever the cell that
a crystal is given in."""


@dataclass
class ChgnetRelaxMaker(ForceFieldRelaxMaker):
    """Relaxes with CHGNet; its checkpoint is read as tensors and never unpickled."""

    name: str = "CHGNet relax"
    force_field_name: str = "CHGNet"
    model: str = "0.3.0"

    def _get_calculator(self) -> Any:
        return _calculator(self.model)


class ChgnetEngine(AseEngine):
    """See ``Engine``.

    The atoms' magnetic moments are what CHGNet predicts from their surroundings, without signs,
    so there is no total moment.
    """

    elastic_tolerance = ELASTIC_TOLERANCE
    max_stress = MAX_STRESS
    # Calculating all takes seconds. Strains that symmetry turns by the axes of a relaxed cell,
    # which are off by 1e-5, get components of 1e-7 that pymatgen's finite differences divide by.
    reduces_strains = False

    def __init__(self, options: DftOptions, profile: Profile) -> None:
        super().__init__(options, profile)
        self._model = options.chgnet.model
        self.name = f"CHGNet {self._model}, a learned potential trained on DFT"

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        check_chgnet(self._model, elements)

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``."""
        return {
            "engine": "chgnet",
            "chgnet": metadata.version("chgnet"),
            "weights": sha256(checkpoint_of(self._model).read_bytes()),
            "force_tolerance": self._options.force_tolerance,
            "max_stress": MAX_STRESS,
            "max_steps": self._options.max_steps,
        }

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> ChgnetRelaxMaker:
        """See ``AseEngine.maker``."""
        del structure
        settings = maker_settings(relax_cell=relax_cell, steps=steps, tolerance=tolerance)
        return ChgnetRelaxMaker(model=self._model, **settings)


@cache
def _calculator(model: str) -> Any:
    """Return an ASE calculator; loading takes seconds, so each process does it once."""
    torch = import_module("torch")
    # CHGNet.load would unpickle its checkpoint, and pickles can do anything. Read as tensors and
    # plain containers the file holds the same weights.
    state = torch.load(checkpoint_of(model), map_location="cpu", weights_only=True)["model"]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it runs
        network = import_module("chgnet.model").CHGNet.from_dict(
            state, mlp_out_bias=False, version=model
        )
        dynamics = import_module("chgnet.model.dynamics")
        return dynamics.CHGNetCalculator(network, use_device="cpu")
