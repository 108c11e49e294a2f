"""FTCP as a generative model: crystals of any chemistry and structure, to and from a latent
space that is structured by their properties.
"""

import copy
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from pymatgen.core import Element
from torch import Tensor

from alloop.errors import ModelError
from alloop.materials import Material
from alloop.models import checkpoint
from alloop.models.analyses import DesignBatch, Wish
from alloop.models.base import Dataset, FitSummary, OnProgress, Prediction
from alloop.models.ftcp.description import FtcpDescription
from alloop.models.ftcp.inverse_design.sampling import local_perturbations, slerp
from alloop.models.ftcp.networks.direct import DirectFtcp
from alloop.models.ftcp.networks.network import FtcpNetwork, all_elements
from alloop.models.ftcp.networks.published import PublishedFtcp
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions
from alloop.models.ftcp.representation.crystals import (
    CrystalArrays,
    Size,
    read_crystals,
    repair_lattices,
    to_structures,
)
from alloop.models.ftcp.representation.matrix import shape, to_matrices
from alloop.models.ftcp.representation.scaling import CHUNK_SIZE, Scaler, chunks
from alloop.models.ftcp.targets import TargetBranch, bootstrap_weights, is_calibration
from alloop.models.ftcp.training import FtcpLosses, LabelledCrystals, train
from alloop.models.latent_points import require_latent_points


class FtcpModel:
    """A variational autoencoder of FTCP matrices with a target-learning branch.

    Args:
        options: sizes and training.
        property_names: properties that ``predict`` gives, in the order of its columns.
        elements: symbols that ``decode`` may give; by default every element that has elemental
            properties.
        size: room for elements and sites; by default that of the first training data, within
            the options' limits.

    Raises:
        ModelError: if these do not fit together.
    """

    def __init__(
        self,
        options: FtcpOptions,
        property_names: Sequence[str],
        *,
        elements: Sequence[str] | None = None,
        size: Size | None = None,
    ) -> None:
        self.options = options
        self.property_names = tuple(property_names)
        self.limits = Size(options.max_elements, options.max_sites)
        self._allowed = _allowed(elements)
        self._wanted_size = size
        self._parts: tuple[FtcpNetwork, TargetBranch] | None = None
        if stray := sorted(set(options.property_weights) - set(self.property_names)):
            raise ModelError(
                f"property_weights names {stray[0]}; the model predicts "
                f"{', '.join(self.property_names)}"
            )

    @property
    def size(self) -> Size:
        """Largest numbers of elements and sites that the model represents.

        Raises:
            ModelError: if it is untrained.
        """
        return self._trained()[0].size

    def fit(self, data: Dataset, *, seed: int, on_progress: OnProgress | None = None) -> FitSummary:
        """Train on labelled and unlabelled crystals; continue from earlier weights, if any.

        A tenth of the crystals, decided by their ids, train no property head: the heads'
        uncertainty is set by them, and their errors are the metrics called ``…_mae_unseen``.
        Scaling and size are those of the first fit.

        Raises:
            MaterialError: if a crystal does not fit the size or the options' limits.
            ModelError: if the data's properties are not the model's, or there are no crystals.
        """
        data.require_properties(self.property_names)
        if len(data) == 0:
            raise ModelError("there is nothing to train on", remedy="Give some crystals.")
        start = time.perf_counter()
        report = on_progress or (lambda share, message: None)
        crystals = self._read_for_training(data.materials)
        labels = torch.from_numpy(data.labels).float()
        is_refit = self._parts is not None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network, branch = self._parts or self._new_parts(crystals)
            branch.widen_range(labels)
            held_back = torch.from_numpy(is_calibration(data.materials))
            rows = self._rows(branch, crystals, labels, held_back)
            losses, epochs = train(
                network,
                branch,
                self.options.network,
                rows,
                is_refit=is_refit,
                augment=self.options.augmentation == "symmetry",
                rng=np.random.default_rng(seed),
                on_epoch=lambda done, n: report(0.95 * done / n, f"epoch {done} of {n}"),
            )
        self._parts = network, branch
        metrics = self._metrics(crystals, labels, held_back, losses)
        report(1.0, "trained")
        n_labelled = int(np.isfinite(data.labels).any(axis=1).sum())
        return FitSummary(
            n_labelled=n_labelled,
            n_unlabelled=len(data) - n_labelled,
            epochs=epochs,
            seconds=time.perf_counter() - start,
            metrics=metrics,
        )

    def most_unlabelled(self, n_labelled: int) -> int:
        """Return half as many as are labelled: every crystal costs the same time in each epoch, and
        what was decoded and never measured is half the model's own making."""
        return n_labelled // 2

    def encode(self, materials: Sequence[Material]) -> Tensor:
        """Return posterior means, shape (n, d), float32.

        Raises:
            MaterialError: if a material cannot be represented, with the reason.
        """
        return self._encode(read_crystals(materials, self.size))

    def decode(self, z: Tensor, *, seed: int) -> list[Material]:
        """Return the crystal at each row of z, shape (n, d).

        Lattice parameters that close no cell are brought towards those of a box until they
        do; ``decode_unrepaired`` gives them as they are.

        Args:
            z: latent points.
            seed: changes nothing, because nothing is drawn.

        Raises:
            ModelError: if z is not finite or not of that shape, or the model is untrained.
        """
        del seed
        return list(to_structures(repair_lattices(self.decode_unrepaired(z))))

    @torch.no_grad()
    def decode_unrepaired(self, z: Tensor) -> CrystalArrays:
        """Return the crystals that z, shape (n, d), decodes to, unrepaired: cells may be
        impossible.

        Raises:
            ModelError: if z is not finite or not of that shape, or the model is untrained.
        """
        network, _ = self._trained()
        require_latent_points(z, self.options.latents)
        return network.crystals(z.float())

    @torch.no_grad()
    def predict(self, z: Tensor) -> Prediction:
        """Return mean and standard deviation of every property at z, shape (n, d).

        Both are NaN for a property of which fewer than two labels were seen.
        """
        _, branch = self._trained()
        require_latent_points(z, self.options.latents)
        mean, std = branch.predict(z.float())
        return Prediction(self.property_names, mean, std)

    def predicted_means(self, z: Tensor) -> Tensor:
        """Return the means of ``predict``, differentiable: shape (n, d) to (n, p)."""
        return self._trained()[1].predict(z.float())[0]

    def label_range(self) -> Mapping[str, tuple[float, float]]:
        """Return the range that the heads can predict of each property, in its unit: the labels'
        range and a tenth more on either side; NaN for a property without labels."""
        branch = self._trained()[1]
        ends = zip(branch.low.tolist(), branch.high.tolist(), strict=True)
        return dict(zip(self.property_names, ends, strict=True))

    def design(self, data: Dataset, wish: Wish, *, n: int, seed: int) -> DesignBatch:
        """Return screened crystals sampled around the known ones nearest to target values."""
        from alloop.models.ftcp.inverse_design.design import design_batch  # noqa: PLC0415

        return design_batch(self, data, wish, n=n, seed=seed)

    def points_around(self, material: Material, *, radius: float, n: int, seed: int) -> Tensor:
        """Return latent points (n, d) around a crystal's: the paper's local perturbation."""
        return local_perturbations(self.encode([material]), copies=n, scale=radius, seed=seed)

    def points_between(self, z: Tensor, shares: Tensor) -> Tensor:
        """Return latent points (n, d) on the great arc between two, z (2, d)."""
        n = len(shares)
        return slerp(z[:1].expand(n, -1), z[1:].expand(n, -1), shares.to(z.dtype))

    def adapted(
        self,
        options: FtcpOptions,
        property_names: Sequence[str],
        *,
        elements: Sequence[str] | None = None,
    ) -> Self:
        """Return a model with these weights for another campaign: its training, properties and
        elements.

        The heads stay where there are as many for the same properties; else they are new. What
        this model was made from is left as it is.

        Raises:
            ModelError: if the options want a network of other sizes.
        """
        network, branch = self._trained()
        own = self.options.sizes()
        for key, wanted in options.sizes().items():
            if own.get(key) != wanted:
                raise ModelError(
                    f"the weights are of {key} {own.get(key)}, the campaign's model is of {wanted}",
                    remedy=f"Set model.{key} to {own.get(key)}, or train a model of that size.",
                )
        other = type(self)(options, property_names, elements=elements)
        keeps_heads = (self.property_names, self.options.heads) == (
            other.property_names,
            options.heads,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            renewed = other._new_network(network.size, _blank_scaler(network.size), _NO_LATTICES)
            other._parts = renewed, copy.deepcopy(branch) if keeps_heads else other._new_branch()
        renewed.load_state_dict(network.state_dict())
        renewed.allowed.copy_(torch.from_numpy(other._allowed))
        renewed.eval()
        return other

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same model.

        Raises:
            ModelError: if the model is untrained.
        """
        network, branch = self._trained()
        description = FtcpDescription(
            options=self.options,
            elements=network.size.elements,
            sites=network.size.sites,
            property_names=self.property_names,
        )
        parts = {"network": network, "branch": branch}
        checkpoint.write(path, description, checkpoint.tensors_of(parts))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises:
            ModelError: if the file is not one, or of another kind or version.
        """
        description, tensors = checkpoint.read(path, FtcpDescription)
        model = cls(description.options, description.property_names)
        size = Size(description.elements, description.sites)
        with torch.random.fork_rng(devices=[]):  # weights drawn here are overwritten at once
            network = model._new_network(size, _blank_scaler(size), _NO_LATTICES)
            branch = model._new_branch()
        parts = {"network": network, "branch": branch}
        checkpoint.restore(path, tensors, checkpoint.tensors_of(parts))
        model._parts = network.eval(), branch.eval()
        return model

    def _trained(self) -> tuple[FtcpNetwork, TargetBranch]:
        if self._parts is None:
            raise ModelError("the model is untrained", remedy="Fit or load it first.")
        return self._parts

    def _read_for_training(self, materials: Sequence[Material]) -> CrystalArrays:
        if self._parts is not None:
            return read_crystals(materials, self.size)
        read_crystals(materials, self.limits)  # refuses what is too large, by name
        self._wanted_size = self._wanted_size or Size.of(materials)
        return read_crystals(materials, self._wanted_size)

    def _new_parts(self, crystals: CrystalArrays) -> tuple[FtcpNetwork, TargetBranch]:
        assert self._wanted_size is not None
        scaler = Scaler.fit(crystals, self._wanted_size)
        network = self._new_network(self._wanted_size, scaler, crystals.lattices)
        return network, self._new_branch()

    def _new_network(self, size: Size, scaler: Scaler, lattices: np.ndarray) -> FtcpNetwork:
        options, latents = self.options.network, self.options.latents
        if isinstance(options, DirectNetwork):
            return DirectFtcp(options, latents, size, scaler, lattices, self._allowed)
        return PublishedFtcp(options, latents, size, scaler, self._allowed)

    def _new_branch(self) -> TargetBranch:
        return TargetBranch(
            self.options.latents, len(self.property_names), heads=self.options.heads
        )

    def _rows(
        self, branch: TargetBranch, crystals: CrystalArrays, labels: Tensor, held_back: Tensor
    ) -> LabelledCrystals:
        scaled = branch.scaled(labels).masked_fill(held_back[:, None], torch.nan)
        weights = self.options.property_weights
        factors = torch.tensor([weights.get(name, 1.0) for name in self.property_names])
        if isinstance(self.options.network, DirectNetwork):
            unit = (branch.spread / (branch.high - branch.low)).square()
            factors = torch.where(unit.isfinite(), factors / unit, 0.0)
        bootstrap = bootstrap_weights(len(crystals), self.options.heads)
        return LabelledCrystals(crystals, scaled, bootstrap, factors)

    @torch.no_grad()
    def _encode(self, crystals: CrystalArrays) -> Tensor:
        network, _ = self._trained()
        means = [
            network.posterior(torch.from_numpy(to_matrices(chunk, network.size)))[0]
            for chunk in chunks(crystals)
        ]
        return torch.cat(means) if means else torch.empty(0, self.options.latents)

    @torch.no_grad()
    def _metrics(
        self, crystals: CrystalArrays, labels: Tensor, held_back: Tensor, losses: FtcpLosses
    ) -> dict[str, float]:
        network, branch = self._trained()
        z = self._encode(crystals)
        decoded = [network.crystals(part) for part in z.split(CHUNK_SIZE)]
        same = np.concatenate([part.site_elements for part in decoded]) == crystals.site_elements
        unseen = branch.calibrate(z[held_back], labels[held_back])
        seen = (branch.predict(z[~held_back])[0] - labels[~held_back]).abs().nanmean(dim=0)
        named = {
            "reconstruction_loss": losses.reconstruction,
            "kl": losses.kl,
            "all_elements_right": float(same.all(axis=1).mean()),
        }
        for name, ours, theirs in zip(self.property_names, seen, unseen, strict=True):
            named[f"{name}_mae"] = float(ours)
            named[f"{name}_mae_unseen"] = float(theirs)
        return {name: value for name, value in named.items() if np.isfinite(value)}


_NO_LATTICES = np.zeros((1, 6))
"""Placeholder lattices for networks whose tensors are overwritten at once."""


def _blank_scaler(size: Size) -> Scaler:
    rows = shape(size)[0]
    return Scaler(np.zeros(rows, dtype=np.float32), np.ones(rows, dtype=np.float32))


def _allowed(elements: Sequence[str] | None) -> np.ndarray:
    allowed = all_elements()
    if elements is None:
        return allowed
    chosen = np.zeros_like(allowed)
    for symbol in elements:
        if not Element.is_valid_symbol(symbol) or not allowed[min(Element(symbol).Z, 103) - 1]:
            raise ModelError(
                f"{symbol!r} is no element that FTCP can represent", remedy="Take H to Fm."
            )
        chosen[Element(symbol).Z - 1] = True
    if not chosen.any():
        raise ModelError("no element is allowed", remedy="Name at least one.")
    return chosen
