"""A tiny campaign with P-CDVAE whose oracle relaxes, in a process that dies during a fit."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from pymatgen.core import Structure

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.loop.controller import Controller
from alloop.loop.record.events import LedgerEntry
from alloop.materials import Material, material_id
from alloop.models.threads import single_thread
from alloop.oracles.base import Measurement
from tests.loop.observers import Silent
from tests.loop.small_campaign import ThreadPool

SPEC: dict[str, Any] = {
    "name": "tiny-crystals",
    "seed": 4,
    "space": {"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc", "bcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {
        "kind": "pcdvae",
        "latent": 8,
        "encoder_width": 8,
        "encoder_blocks": 1,
        "decoder_width": 8,
        "decoder_blocks": 1,
        "head_width": 8,
        "neighbours": 12,
        "epochs": 4,
        "batch_size": 4,
        "langevin_steps": 1,
        "device": "cpu",
    },
    "acquisition": {"strategy": "uncertainty", "batch": 2, "pool": 4},
    "augmentation": None,
    "budget": {"initial": 6, "rounds": 1, "measurements": [20]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


@dataclass(frozen=True)
class Relaxing:
    """Moves every atom by 0.05 Å and lengthens the cell by 2 %, differently for each material."""

    name: str = "relaxing"

    def fingerprint(self) -> str:
        return sha256("relaxing oracle")

    def measure(self, material: Material) -> Measurement:
        assert isinstance(material, Structure)
        id = material_id(material)
        moves = np.random.default_rng(int(id[:8], 16)).normal(size=(len(material), 3))
        moves *= 0.05 / np.linalg.norm(moves, axis=1, keepdims=True)
        cell = material.lattice.matrix * 1.02
        coords = material.frac_coords @ cell + moves
        relaxed = Structure(cell, material.species, coords, coords_are_cartesian=True)
        return Measurement.succeeded(
            {"bulk_modulus": 150.0 + int(id[:4], 16) / 1000},
            oracle=self.name,
            fingerprint=self.fingerprint(),
            material=relaxed,
        )


class Deadly(Silent):
    """Keeps what the fit says, and kills its own process after an epoch, as a power cut would."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.dies_after = dies_after
        self.said: list[str] = []

    def progress(self, share: float, message: str) -> None:
        self.said.append(message)
        if self.dies_after is not None and message.startswith(f"epoch {self.dies_after} of"):
            os.kill(os.getpid(), signal.SIGKILL)

    def event(self, entry: LedgerEntry) -> None: ...


def drive_pcdvae(run: Path, dies_after: int | None = None) -> Deadly:
    """Launch or continue it; checkpoints are kept after every epoch, and threads measure. It is
    trained on one thread: of how many others, earlier tests would decide."""
    observer = Deadly(dies_after)
    spec = parse_spec(SPEC, where="tiny")
    with (
        single_thread(),
        patch("alloop.loop.controller.MeasuringPool", ThreadPool),
        patch("alloop.models.pcdvae.resuming.MIN_SECONDS_BETWEEN", 0.0),
        Controller(run, spec, build_oracles=lambda _: [Relaxing()], observer=observer) as one,
    ):
        one.run()
    return observer
