"""SevenNet as an engine: a learned potential trained on DFT, run by atomate2's makers."""

from dataclasses import dataclass

from alloop.oracles.dft.engines.learned import LearnedEngine, LearnedRelaxMaker
from alloop.oracles.mlip.potentials.sevennet import BY_NAME


@dataclass
class SevennetRelaxMaker(LearnedRelaxMaker):
    """Relaxes with SevenNet; its checkpoint is read as tensors and never unpickled."""

    name: str = "SevenNet relax"
    force_field_name: str = "SevenNet"
    model: str = "7net-0"

    potentials = BY_NAME


class SevennetEngine(LearnedEngine):
    """See ``Engine``."""

    relax_maker = SevennetRelaxMaker
