"""CHGNet (Deng et al., Nat. Mach. Intell. 5 (2023) 1031), with the weights of its wheel.

Its energy surface is soft and not quite smooth: the bulk modulus of fcc nickel comes out between
203 and 224 GPa for strains between 0.1 % and 2 %, and forces of a relaxation below about 0.01 eV/Å
say little.
"""

import contextlib
import io
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from alloop.elements import ELEMENTS
from alloop.oracles.mlip.potentials.definition import LearnedPotential, Weights
from alloop.oracles.mlip.potentials.tensors import as_checkpoint_of, read_tensors


@cache
def chgnet_calculator(weights: Path | None) -> Any:
    """Return an ASE calculator; loading takes seconds, so each process does it once.

    Raises:
        PotentialError: if the file is no checkpoint of CHGNet.
    """
    assert weights is not None
    # CHGNet.load and from_file would unpickle, and pickles can do anything.
    content = read_tensors(weights)
    with (
        as_checkpoint_of("CHGNet", weights),
        contextlib.redirect_stdout(io.StringIO()),  # it prints where it runs
    ):
        state = content["model"]
        kind = import_module("alloop.oracles.mlip.potentials.one_pass").OnePassCHGNet
        network = kind.from_dict(state, mlp_out_bias=False, version=weights.parent.name)
        network.requires_grad_(False)
        dynamics = import_module("chgnet.model.dynamics")
        return dynamics.CHGNetCalculator(network, use_device="cpu")


def _chgnet(description: str, path: str, sha256: str) -> LearnedPotential:
    return LearnedPotential(
        description=description,
        make=chgnet_calculator,
        family="CHGNet",
        distributions=("chgnet",),
        weights=Weights("chgnet", f"pretrained/{path}", sha256),
        elements=ELEMENTS[:94],
        reads_own_weights=True,
    )


CHGNET = _chgnet(
    "CHGNet 0.3.0, trained on PBE (MPtrj). Bulk moduli of 100 cubic binaries are off by 14 GPa, "
    "formation energies of FeNi₃ and FeNi by 0.046 and 0.026 eV/atom from PBE; Fe₃Ni's sign is "
    "wrong, bcc iron too soft (83 GPa for 170)",
    "0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
    "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1",
)

CHGNET_R2SCAN = _chgnet(
    "CHGNet transferred to r²SCAN",
    "r2scan/chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
    "8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad",
)

BY_VERSION = {"0.3.0": CHGNET, "r2scan": CHGNET_R2SCAN}
"""CHGNet's models by the names that the package gives them."""
