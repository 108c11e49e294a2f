"""Training: steps, their schedule, and the end at the first number that is not finite."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alloop.models.pcdvae import losses
from alloop.models.pcdvae.finite_checks import require_finite_gradient, require_finite_terms
from alloop.models.pcdvae.networks.crystal import IntArray
from alloop.models.pcdvae.networks.layers import fitting_scales
from alloop.models.pcdvae.networks.network import PcdvaeNetwork
from alloop.models.pcdvae.networks.noise import draw
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.rows import CrystalRows
from alloop.seeds import derive_seed

FINAL_RATE_FACTOR = 0.01
"""Factor of the learning rate at the end of its half cosine."""

PROPOSED_SHARE = 0.5
"""Share of the crystals that the encoder sees as they were proposed, of those known at rest too."""


@contextmanager
def compiled_networks(network: PcdvaeNetwork, backend: str = "inductor") -> Iterator[None]:
    """Run encoder and decoder compiled within the block, at any number of atoms and edges.

    Afterwards they run as written again: encoding and sampling would be compiled anew, which
    takes longer than it saves.
    """
    parts = network.encoder, network.decoder
    for part in parts:
        part.compile(dynamic=True, backend=backend)
    try:
        yield
    finally:
        for part in parts:
            part._compiled_call_impl = None  # what compile() sets; torch has no way back


@dataclass
class Trainer:
    """State of a training: network, moving average of its weights, and optimiser.

    Every random number of a step follows from the seed and the step's number, so a trainer
    restored from a checkpoint goes on as if it had never stopped.
    """

    network: PcdvaeNetwork
    options: PcdvaeOptions
    rows: CrystalRows
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        self.weights: list[Tensor] = list(self.network.parameters())
        self.optimiser = torch.optim.Adam(self.weights, lr=self.options.learning_rate, fused=True)
        self.average = [weight.detach().clone() for weight in self.weights]
        self.epoch = 0
        """Epochs done."""
        self.step = 0
        """Steps done."""
        stages = [len(self._order(epoch)) for epoch in range(self.epochs)]
        self.total_steps = sum(math.ceil(n / self.options.batch_size) for n in stages)

    def fit_scales(self) -> None:
        """Set the decoder's scaling factors from one batch; before the first step, once."""
        rows = self._order(self.epochs - 1)[: self.options.batch_size]
        with fitting_scales(self.network), torch.no_grad():
            self._terms(rows, "scales")

    def run(self, on_epoch: Callable[[int, dict[str, float]], None]) -> dict[str, float]:
        """Run the epochs that are left, and return the last one's mean losses.

        Afterwards the network holds the moving average of its weights.

        Args:
            on_epoch: called with the number of epochs done and their mean losses.

        Raises:
            TrainingDiverged: at the first loss or gradient that is not finite.
        """
        means: dict[str, float] = {}
        with compiled_networks(self.network) if self.options.compiled else nullcontext():
            while self.epoch < self.epochs:
                means = self._one_epoch()
                self.epoch += 1
                on_epoch(self.epoch, means)
        with torch.no_grad():
            for weight, average in zip(self.weights, self.average, strict=True):
                weight.copy_(average)
        return means

    def _one_epoch(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        n_rows = 0
        for rows in self._batches():
            for name, value in self._one_step(rows).items():
                sums[name] = sums.get(name, 0.0) + value * len(rows)
            n_rows += len(rows)
        return {name: value / n_rows for name, value in sums.items()}

    def _one_step(self, rows: IntArray) -> dict[str, float]:
        where = f"epoch {self.epoch + 1}, step {self.step + 1}"
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * self._rate()
        terms = self._terms(rows, self.step)
        require_finite_terms(terms, self.network, lambda: self._terms(rows, self.step), where=where)
        self.optimiser.zero_grad()
        losses.total(terms).backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights, self.options.clip)
        require_finite_gradient(self.network, norm, where=where)
        self.optimiser.step()
        self.step += 1
        # Young averages forget their first weights faster.
        decay = min(self.options.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - decay)
        return {name: float(term.detach()) for name, term in terms.items()}

    def _terms(self, rows: IntArray, step: int | str) -> dict[str, Tensor]:
        seed = derive_seed(self.seed, "noise", step)
        as_proposed = None
        if self.rows.are_proposed:
            views = np.random.default_rng(derive_seed(self.seed, "views", step))
            as_proposed = views.random(len(rows)) < PROPOSED_SHARE
        batch = self.rows.batch(rows, self.device, as_proposed=as_proposed)
        rng = np.random.default_rng(seed)
        noise = draw(batch.n_atoms, rng, largest=self.options.largest_noise)
        generator = torch.Generator().manual_seed(seed)
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"
        ):
            return losses.losses(
                self.network,
                batch,
                noise,
                generator,
                k=self.options.neighbours,
                cutoff=self.options.cutoff,
            )

    def _rate(self) -> float:
        """Return the learning rate's factor: a ramp, then half a cosine."""
        ramp = (self.step + 1) / (self.options.warm_up + 1)
        fall = 0.5 * (1 + math.cos(math.pi * self.step / self.total_steps))
        return min(1.0, ramp) * (FINAL_RATE_FACTOR + (1 - FINAL_RATE_FACTOR) * fall)

    def _batches(self) -> Iterator[IntArray]:
        order = self._order(self.epoch)
        for start in range(0, len(order), self.options.batch_size):
            yield order[start : start + self.options.batch_size]

    def _order(self, epoch: int) -> IntArray:
        """Return the rows of an epoch, shuffled; local search's only in the second stage."""
        rows = np.arange(len(self.rows))
        is_first_stage = epoch < self.options.augmented_from * self.epochs
        if is_first_stage and not self.rows.is_augmented.all():
            rows = rows[~self.rows.is_augmented]
        return np.random.default_rng(derive_seed(self.seed, "order", epoch)).permutation(rows)
