"""What a training step and a sampled structure cost, against sizes; and against a first version.

Seconds are of processor time on one thread, so that a busy machine does not stretch them.
"""

import time
from contextlib import nullcontext

import numpy as np
import torch
from pymatgen.core import Structure

from benchmarks.pcdvae_straightforward import straightforward
from models.base import Dataset
from models.lattice.parent import ParentLattice
from models.pcdvae.model import PcdvaeModel
from models.pcdvae.options import PcdvaeOptions
from models.pcdvae.training import Trainer

ELEMENTS = ("Cr", "Fe", "Ni")
SIZES = ((16, 14, 16), (16, 14, 64), (16, 20, 64), (54, 14, 16), (54, 20, 16))
"""Atoms, neighbours, batch."""
WIDTH = 64
REPEATS = 2
"""Steps of which the quickest counts."""
TURNS = 2
SAMPLERS = {
    "": {"sampler": "ancestral", "ancestral_steps": 50},
    "_langevin_200_calls": {"sampler": "langevin", "langevin_steps": 4},
}
"""The published one makes 5,000 decoder calls."""


def cost_figures() -> dict[str, float]:
    """Return seconds per step and per sampled structure by size, and the speed-up of a step."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for atoms, neighbours, batch in SIZES:
        name = f"{atoms}_atoms_{neighbours}_neighbours_batch_{batch}"
        figures[f"step_seconds_{name}"] = step_seconds(options(neighbours, batch), atoms)
        print(name, f"{figures[f'step_seconds_{name}']:.3f} s per step", flush=True)
    figures |= speedup_figures()
    for name, changes in SAMPLERS.items():
        chosen = options(14, 16).model_copy(update=changes)
        figures[f"sample_seconds_per_structure{name}"] = sample_seconds(chosen, 16)
    return figures


def speedup_figures() -> dict[str, float]:
    """Return how much faster a step is than the straightforward one, which is in float32.

    The three take turns, so that whatever else the machine does slows all of them.
    """
    atoms, neighbours, batch = 16, 20, 64
    full = options(neighbours, batch)
    half = full.model_copy(update={"precision": "bfloat16"})
    steps = {"straightforward": full, "float32": full, "bfloat16": half}
    least = dict.fromkeys(steps, float("inf"))
    for _ in range(TURNS):
        for name, chosen in steps.items():
            seconds = step_seconds(chosen, atoms, slow=name == "straightforward")
            least[name] = min(least[name], seconds)
    return {
        **{f"step_seconds_{name}": seconds for name, seconds in least.items()},
        "step_speedup": least["straightforward"] / least["bfloat16"],
        "step_speedup_float32": least["straightforward"] / least["float32"],
    }


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


def step_seconds(chosen: PcdvaeOptions, atoms: int, *, slow: bool = False) -> float:
    """Return the least time of some steps, graphs and noise included, in seconds."""
    model, data = _model(chosen, atoms), _data(chosen.batch_size, atoms)
    rows = model._read_rows(data)
    trainer = Trainer(model._network_to_train(rows, 0), chosen, rows, REPEATS + 1, 0)
    times = []
    with straightforward() if slow else nullcontext():
        for _ in range(REPEATS + 1):
            began = time.process_time()
            trainer._one_step(np.arange(chosen.batch_size))
            times.append(time.process_time() - began)
    return min(times[1:])


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
