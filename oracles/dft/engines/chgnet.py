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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from atomate2.forcefields.jobs import ForceFieldRelaxMaker
from pymatgen.core import Element, Structure

from alloop.canonical import sha256
from alloop.errors import MissingSoftware, SpecError
from alloop.oracles.dft.engines.ase_engine import AseEngine, maker_settings
from alloop.oracles.dft.options import DftOptions

WEIGHTS = {
    "0.3.0": "0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
    "r2scan": "r2scan/chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
}
"""Checkpoints in chgnet's own wheel."""

HEAVIEST = 94
"""Atomic number up to which CHGNet knows elements."""

ELASTIC_TOLERANCE = 0.005
"""Largest force left in a strained cell for the elastic tensor, eV/Å."""


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

    def __init__(self, options: DftOptions) -> None:
        super().__init__(options)
        self._model = options.chgnet.model
        self.name = f"CHGNet {self._model}, a learned potential trained on DFT"

    def check(self, elements: Iterable[str]) -> None:
        """See ``Engine.check``."""
        _checkpoint(self._model)
        if unknown := [symbol for symbol in elements if Element(symbol).Z > HEAVIEST]:
            raise SpecError(f"CHGNet does not know {', '.join(unknown)}")

    def settings(self) -> dict[str, Any]:
        """See ``Engine.settings``."""
        return {
            "engine": "chgnet",
            "chgnet": metadata.version("chgnet"),
            "weights": sha256(_checkpoint(self._model).read_bytes()),
            "force_tolerance": self._options.force_tolerance,
            "max_steps": self._options.max_steps,
        }

    def maker(
        self, structure: Structure, *, relax_cell: bool, steps: int, tolerance: float
    ) -> ChgnetRelaxMaker:
        """See ``AseEngine.maker``."""
        del structure
        settings = maker_settings(relax_cell=relax_cell, steps=steps, tolerance=tolerance)
        return ChgnetRelaxMaker(model=self._model, **settings)


def _checkpoint(model: str) -> Path:
    spec = find_spec("chgnet")
    if spec is None or spec.origin is None:
        raise MissingSoftware("CHGNet is not installed", remedy="Run `pip install chgnet`.")
    path = Path(spec.origin).parent / "pretrained" / WEIGHTS[model]
    if not path.exists():
        raise MissingSoftware(
            "CHGNet's weights are not where its wheel puts them",
            where=str(path),
            remedy="Install chgnet again.",
        )
    return path


@cache
def _calculator(model: str) -> Any:
    """Return an ASE calculator; loading takes seconds, so each process does it once."""
    torch = import_module("torch")
    # CHGNet.load would unpickle its checkpoint, and pickles can do anything. Read as tensors and
    # plain containers the file holds the same weights.
    state = torch.load(_checkpoint(model), map_location="cpu", weights_only=True)["model"]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it runs
        network = import_module("chgnet.model").CHGNet.from_dict(
            state, mlp_out_bias=False, version=model
        )
        dynamics = import_module("chgnet.model.dynamics")
        return dynamics.CHGNetCalculator(network, use_device="cpu")
