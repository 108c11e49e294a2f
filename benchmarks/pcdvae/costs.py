"""What a training step and a sampled structure cost, against sizes; and against a first version.

Seconds are of processor time on one thread, so that a busy machine does not stretch them.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from pymatgen.core import Structure

from alloop.models.base import Dataset
from alloop.models.lattice.parent import ParentLattice
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.training import Trainer, compiled_networks
from benchmarks.pcdvae.straightforward import straightforward
from benchmarks.pcdvae.training import OPTIONS

ELEMENTS = ("Cr", "Fe", "Ni")
SIZES = ((16, 14, 16), (16, 14, 64), (16, 20, 64), (54, 14, 16), (54, 20, 16))
"""Atoms, neighbours, batch."""
ATOMS = 16
LARGER = (20, 64)
"""Neighbours and batch of the larger of the two steps that are compared; its width is WIDTH."""
WIDTH = 64
REPEATS = 2
"""Steps of which the quickest counts; one more goes before."""
EPOCHS = 100
"""More than there are steps to be taken."""
TURNS = 10
SAMPLERS = {
    "": {"langevin_steps": 1, "freezing_steps": 24},
    "_langevin_200_calls": {"langevin_steps": 4},
    "_ancestral_50_calls": {"sampler": "ancestral", "ancestral_steps": 50},
}
"""The first makes 304 decoder calls, the published one 5,000."""


def cost_figures() -> dict[str, float]:
    """Return seconds per step and per sampled structure by size, and the speed-up of a step."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for atoms, neighbours, batch in SIZES:
        name = f"{atoms}_atoms_{neighbours}_neighbours_batch_{batch}"
        figures[f"step_seconds_{name}"] = _Steps(options(neighbours, batch), atoms=atoms).seconds()
        print(name, f"{figures[f'step_seconds_{name}']:.3f} s per step", flush=True)
    figures |= speedup_figures(OPTIONS, "")
    figures |= speedup_figures(options(*LARGER), f"_width_{WIDTH}")
    for name, changes in SAMPLERS.items():
        chosen = options(14, 16).model_copy(update=changes)
        figures[f"sample_seconds_per_structure{name}"] = sample_seconds(chosen, ATOMS)
    return figures


def speedup_figures(chosen: PcdvaeOptions, suffix: str) -> dict[str, float]:
    """Return the speed-up of a step over the straightforward one, all in float32.

    They take turns, so that whatever else the machine does slows all of them.

    Args:
        chosen: sizes; those that the benchmark trains with, or larger ones.
        suffix: of the figures' names.
    """
    steps = {
        "straightforward": _Steps(chosen, straightforward),
        "float32": _Steps(chosen),
        "compiled": _Steps(chosen),
    }
    least = dict.fromkeys(steps, float("inf"))
    with compiled_networks(steps["compiled"].trainer.network):
        for _ in range(TURNS):
            for name, step in steps.items():
                least[name] = min(least[name], step.seconds())
                print(name, f"{least[name]:.3f} s per step", flush=True)
    return {
        **{f"step_seconds_{name}{suffix}": seconds for name, seconds in least.items()},
        f"step_speedup{suffix}": least["straightforward"] / least["compiled"],
        f"step_speedup_as_written{suffix}": least["straightforward"] / least["float32"],
    }


class _Steps:
    """A training of which single steps are taken and timed."""

    def __init__(
        self,
        chosen: PcdvaeOptions,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
        *,
        atoms: int = ATOMS,
    ) -> None:
        model, data = _model(chosen, atoms), _data(chosen.batch_size, atoms)
        rows = model._read_rows(data)
        self.trainer = Trainer(model._network_to_train(rows, 0), chosen, rows, EPOCHS, 0)
        self.rows = np.arange(chosen.batch_size)
        self.around = around

    def seconds(self) -> float:
        """Return the least processor time of some steps, graphs and noise included."""
        return min([self._take() for _ in range(REPEATS + 1)][1:])

    def _take(self) -> float:
        with self.around():
            began = time.process_time()
            self.trainer._one_step(self.rows)
            return time.process_time() - began


def options(neighbours: int, batch: int) -> PcdvaeOptions:
    """Return sizes for two cores."""
    return PcdvaeOptions(
        latent=64,
        encoder_width=WIDTH,
        encoder_blocks=3,
        decoder_width=WIDTH,
        decoder_blocks=3,
        neighbours=neighbours,
        batch_size=batch,
        epochs=1,
        warm_up=0,
        device="cpu",
    )


def sample_seconds(chosen: PcdvaeOptions, atoms: int) -> float:
    """Return the time of sampling per structure, in seconds."""
    model = _model(chosen, atoms)
    model.fit(_data(4, atoms), seed=0)
    z = model.draw(chosen.batch_size, seed=0)
    began = time.process_time()
    model.decode(z, seed=0)
    return (time.process_time() - began) / chosen.batch_size


def _model(chosen: PcdvaeOptions, atoms: int) -> PcdvaeModel:
    return PcdvaeModel(chosen, ELEMENTS, (atoms,), ("fcc", "bcc"), {}, ("bulk_modulus",))


def _data(n: int, atoms: int) -> Dataset:
    rng = np.random.default_rng(0)
    structures: list[Structure] = []
    for i in range(n):
        parent = ParentLattice.of_size(("fcc", "bcc")[i % 2], atoms)
        structures.append(parent.structure(rng.choice(ELEMENTS, size=atoms).tolist()))
    return Dataset(
        tuple(structures), ("bulk_modulus",), rng.normal(180, 5, (n, 1)), np.zeros(n, dtype=bool)
    )
