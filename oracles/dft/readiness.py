"""Whether learned potentials can be engines here; known without importing networks or atomate2."""

from collections.abc import Iterable
from importlib.util import find_spec

from alloop.errors import MissingSoftware
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.mlip.potentials.chgnet import BY_VERSION
from alloop.oracles.mlip.potentials.sevennet import BY_NAME


def check_learned(options: DftOptions, elements: Iterable[str]) -> None:
    """Check that a learned potential is installed, and knows the elements.

    Raises:
        MissingSoftware: if the potential, its weights, or what drives it is not installed.
        PotentialError: if its weights are of another model.
        SpecError: if it does not know one of the elements.
    """
    assert options.learned_model is not None
    potentials = {"chgnet": BY_VERSION, "sevennet": BY_NAME}[options.engine]
    potential = potentials[options.learned_model]
    potential.weights_file()
    if find_spec("atomate2") is None:
        raise MissingSoftware(
            f"the engine {options.engine} needs the package atomate2",
            where="tiers, engine",
            remedy="Install it, or take another engine.",
        )
    potential.check(elements)
