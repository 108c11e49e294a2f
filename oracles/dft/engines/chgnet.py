"""CHGNet as an engine: a learned potential trained on DFT, run by atomate2's makers."""

from dataclasses import dataclass

from alloop.oracles.dft.engines.learned import LearnedEngine, LearnedRelaxMaker
from alloop.oracles.mlip.potentials.chgnet import BY_VERSION


@dataclass
class ChgnetRelaxMaker(LearnedRelaxMaker):
    """Relaxes with CHGNet; its checkpoint is read as tensors and never unpickled."""

    name: str = "CHGNet relax"
    force_field_name: str = "CHGNet"
    model: str = "0.3.0"

    potentials = BY_VERSION


class ChgnetEngine(LearnedEngine):
    """See ``Engine``.

    The atoms' magnetic moments are what CHGNet predicts from their surroundings, without signs,
    so there is no total moment.
    """

    relax_maker = ChgnetRelaxMaker
