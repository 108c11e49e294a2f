"""Small campaigns to be killed: each kind of model, and LAMMPS, DFT and tables as tiers."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alloop.public_data.datasets import VARIABLE
from tests.loop.alloys import write_hea

VASP = Path(__file__).parents[3] / "tests" / "oracles" / "dft" / "stand_in" / "vasp_std"
"""Test double of VASP, which custodian starts in a session of its own as it does VASP."""
TWO_ROUNDS = {"acquisition.batch": "3", "budget.initial": "8", "budget.rounds": "2"}
LOCAL_SEARCH = {"augmentation.iterations": "1", "augmentation.swaps": "2"}
DECORATIONS = {
    "space.atoms": "16",
    "model.epochs": "2",
    "model.unlabelled": "32",
    "acquisition.pool": "16",
    "execution.workers": "2",
}


@dataclass(frozen=True)
class Killed:
    """A ready campaign, small."""

    name: str
    """What it is called in the benchmark's output."""
    ready: str
    """Name of the ready campaign."""
    settings: Mapping[str, str]
    """Values laid over it, by key path."""
    events: int
    """Events of a run, roughly: the kills are spread over them."""

    def words(self, run: Path) -> list[str]:
        """Return the words of ``alloop launch``, which continues a run that has begun."""
        # A measurement whose worker is killed is tried again: for that there must be attempts left,
        # and, in the campaigns' budgets, calls.
        settings = dict(self.settings) | {"tiers.0.attempts": "10", "cache": "false"}
        pairs = [word for each in settings.items() for word in ("--set", "=".join(each))]
        return ["launch", self.ready, "--run", str(run), *pairs]


CAMPAIGNS = (
    Killed(
        "lattice model, LAMMPS",
        "nifecr-ordering",
        {
            **TWO_ROUNDS,
            **LOCAL_SEARCH,
            **DECORATIONS,
            "space.fractions": "{Ni: [0.25, 0.25], Cr: [0.25, 0.25], Fe: [0.5, 0.5]}",
        },
        events=40,
    ),
    Killed(
        "lattice model, LAMMPS and CHGNet",
        "nifecr-bulk-modulus",
        {
            **TWO_ROUNDS,
            **LOCAL_SEARCH,
            **DECORATIONS,
            "tiers.1.promote": "1",
            "tiers.1.attempts": "10",
            "budget.measurements": "[600, 600]",
        },
        events=40,
    ),
    Killed(
        "LAMMPS and a test double of VASP under custodian",
        "nifecr-bulk-modulus",
        {
            "space.atoms": "16",
            "constraints": "[]",
            "promotion.keep_structure": "false",
            "budget.initial": "6",
            "budget.rounds": "0",
            "budget.measurements": "[600, 600]",
            "execution.workers": "1",
            "tiers.1.engine": "vasp",
            "tiers.1.protocol": "relax",
            "tiers.1.promote": "2",
            "tiers.1.attempts": "10",
        },
        events=16,
    ),
    Killed(
        "P-CDVAE, LAMMPS",
        "nifecr-pcdvae",
        {
            **TWO_ROUNDS,
            **LOCAL_SEARCH,
            "model.latent": "8",
            "model.encoder_width": "8",
            "model.decoder_width": "8",
            "model.decoder_blocks": "1",
            "model.head_width": "16",
            "model.neighbours": "12",
            "model.epochs": "1",
            "model.freezing_steps": "1",
            "acquisition.pool": "6",
        },
        events=38,
    ),
    Killed(
        "FTCP, CHGNet",
        "ftcp-formation-energy",
        {
            "space.elements": "[Al, Ni, Ti]",
            "space.max_atoms": "4",
            "model.network.width": "32",
            "model.network.depth": "1",
            "model.network.embedding": "8",
            "model.network.steps": "30",
            "model.network.refit_steps": "10",
            "model.latents": "8",
            "model.max_elements": "3",
            "acquisition.batch": "2",
            "acquisition.pool": "8",
            "budget.initial": "4",
            "budget.rounds": "2",
            "budget.measurements": "[600]",
            "execution.workers": "1",
        },
        events=20,
    ),
    Killed(
        "DVAE, a table",
        "hea-single-phase",
        {
            "model.descriptors": "eight",
            "model.latents": "2",
            "model.width": "8",
            "model.committees": "1",
            "model.trees": "5",
            "model.transport_layers": "2",
            "model.random_alloys": "16",
            "model.epochs": "3",
            "model.refit_epochs": "1",
            "acquisition.batch": "4",
            "budget.initial": "8",
            "budget.rounds": "2",
            "budget.measurements": "[600]",
        },
        events=26,
    ),
)
"""All of them."""


def environment(home: Path) -> dict[str, str]:
    """Make what the campaigns need, a table and a program vasp_std, and return the environment.

    Args:
        home: an empty folder; two of them share nothing, neither labels nor finished calculations.
    """
    write_hea(home / "tables")
    program = home / "bin" / "vasp_std"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{VASP}" "$@"\n')
    program.chmod(0o755)
    settings = home / "settings.yaml"
    settings.write_text("profiles: {default: {vasp: {potcar_spec: true, poll: 0.05}}}")
    settings.chmod(0o600)
    return os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "ALLOOP_SETTINGS": str(settings),
        VARIABLE: str(home / "tables"),
    }
