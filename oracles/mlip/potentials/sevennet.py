"""SevenNet (Park et al., J. Chem. Theory Comput. 20 (2024) 4857; MIT), with its wheel's weights."""

import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from alloop.elements import ELEMENTS
from alloop.oracles.mlip.potentials.definition import LearnedPotential, Weights
from alloop.oracles.mlip.potentials.tensors import as_checkpoint_of, read_tensors

KNOWN_ELEMENTS = (*ELEMENTS[:83], *ELEMENTS[88:94])
"""Hydrogen to bismuth and actinium to plutonium, the elements of MPtrj."""


@cache
def sevennet_calculator(weights: Path | None) -> Any:
    """Return an ASE calculator; loading takes seconds, so each process does it once.

    Raises:
        PotentialError: if the file is no checkpoint of SevenNet.
    """
    assert weights is not None
    content = read_tensors(weights)
    checkpoints = import_module("sevenn.checkpoint")
    with as_checkpoint_of("SevenNet", weights), warnings.catch_warnings():
        # e3nn scripts its tensor products the old way; sevenn advises a graphics card.
        warnings.simplefilter("ignore")
        checkpoint = checkpoints.SevenNetCheckpoint(weights)
        # What its own loading would set: that unpickles.
        checkpoint._config_original = content["config"]
        checkpoint._model_state_dict = content["model_state_dict"]
        checkpoint._config = checkpoints._config_cp_routine(content["config"])
        checkpoint._loaded = True
        network = checkpoint.build_model()
        network.requires_grad_(False)  # nothing is trained: forces need no slopes by the weights
        kernels = import_module("alloop.oracles.mlip.potentials.edge_convolution")
        kernels.use_edge_convolutions(network)
        return import_module("sevenn.calculator").SevenNetCalculator(
            network, file_type="model_instance", device="cpu"
        )


def _sevennet(description: str, path: str, sha256: str = "", source: str = "") -> LearnedPotential:
    return LearnedPotential(
        description=description,
        make=sevennet_calculator,
        family="SevenNet",
        distributions=("sevenn",),
        weights=Weights("sevenn", f"pretrained_potentials/{path}", sha256, source),
        elements=KNOWN_ELEMENTS,
        reads_own_weights=True,
    )


SEVENNET_0 = _sevennet(
    "SevenNet-0 (11 July 2024), trained on PBE (MPtrj). Bulk moduli of 100 cubic binaries are off "
    "by 9 GPa, formation energies of FeNi₃ and FeNi by 0.057 and 0.011 eV/atom from PBE; Fe₃Ni's "
    "sign is wrong, bcc iron too soft (94 GPa for 170). As fast as CHGNet, smoother",
    "SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
    "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36",
)

SEVENNET_L3I5 = _sevennet(
    "SevenNet-l3i5, trained on PBE (MPtrj). Bulk moduli of 100 cubic binaries are off by 7 GPa, "
    "formation energies of FeNi₃ and FeNi by 0.007 and 0.034 eV/atom from PBE; Fe₃Ni's sign is "
    "wrong, bcc iron too soft (107 GPa for 170). Twice as slow as SevenNet-0",
    "SevenNet_l3i5/checkpoint_l3i5.pth",
    "a7ff190d41efe5b8317a03d20a468e4036a1a3e64e0b14fdbab64ac3f4bfc09d",
)

SEVENNET_OMAT = _sevennet(
    "SevenNet-omat, trained on OMat24; its weights are not in the wheel",
    "SevenNet_omat/checkpoint_sevennet_omat.pth",
    source="checkpoint_sevennet_omat.pth of SevenNet's release v0.11.0.cp",
)

BY_NAME = {"7net-0": SEVENNET_0, "7net-l3i5": SEVENNET_L3I5}
"""SevenNet's models by the names that the package gives them."""
