"""The lattice model: a generator of decorations of parent lattices."""

import copy
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from alloop.errors import ModelError
from alloop.materials import Material
from alloop.models import checkpoint
from alloop.models.base import Dataset, FitSummary, OnProgress, Prediction
from alloop.models.explanation import DescriptorWeights, Explanation
from alloop.models.latent_points import require_latent_points
from alloop.models.lattice.assignment import most_probable_decoration
from alloop.models.lattice.correlations import correlations, n_correlations
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.description import LatticeDescription
from alloop.models.lattice.explanation import descriptor_weights, explain
from alloop.models.lattice.heads import HeadTraining, PropertyHeads, train_heads
from alloop.models.lattice.network import Autoencoder
from alloop.models.lattice.options import LatticeOptions
from alloop.models.lattice.training import (
    LatticeLosses,
    sharpened,
    train_autoencoder,
)
from alloop.models.starting import require_same
from alloop.models.threads import single_thread

ENCODE_ROWS = 256
"""Number of decorations encoded at once; bounds the memory that message passing takes."""


class LatticeModel:
    """A variational autoencoder of decorations, with property heads on an invariant embedding.

    A latent point holds coordinates for the lattice (where several are known) and the amplitudes
    of the concentration waves of site latents; see ``network``. Its embedding is the composition
    and short-range order of the soft decoration it decodes to; see ``embed``.

    Args:
        options: sizes and training.
        space: the decorations; ``decode`` keeps its counts and rules.
        property_names: properties that ``predict`` gives, in the order of its columns.
    """

    def __init__(
        self, options: LatticeOptions, space: DecorationSpace, property_names: Sequence[str]
    ) -> None:
        self.options = options
        self.space = space
        self.property_names = tuple(property_names)
        self._parts: tuple[Autoencoder, PropertyHeads] | None = None

    def fit(self, data: Dataset, *, seed: int, on_progress: OnProgress | None = None) -> FitSummary:
        """Train on the data and on random decorations drawn by the seed.

        The autoencoder continues from its weights, if it has any; the property heads, which
        train in a second, begin anew, so that they owe nothing to labels of another scale.

        Raises:
            MaterialError: if a material is no decoration of the model's parents.
            ModelError: if the data's properties are not the model's.
        """
        data.require_properties(self.property_names)
        start = time.perf_counter()
        report = on_progress or (lambda share, message: None)
        codes, lattices = self.space.read(data.materials)
        drawn = self.space.draw(self.options.unlabelled, np.random.default_rng(seed))
        all_codes = torch.from_numpy(np.concatenate([codes, drawn[0]]))
        all_lattices = torch.from_numpy(np.concatenate([lattices, drawn[1]]))
        if len(all_codes) == 0:
            raise ModelError("there is nothing to train on", remedy="Give data or unlabelled > 0.")
        epochs = self.options.refit_epochs if self._parts else self.options.epochs
        with single_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._parts[0] if self._parts else self._new_autoencoder()
            losses = train_autoencoder(
                network,
                all_codes,
                all_lattices,
                epochs=epochs,
                batch_size=self.options.batch_size,
                learning_rate=self.options.learning_rate,
                on_epoch=lambda done: report(0.9 * done / epochs, f"epoch {done} of {epochs}"),
            )
            heads = self._new_heads()
            self._parts = network, heads
            labels = torch.from_numpy(data.labels).float()
            train_heads(heads, self._features(codes, lattices), labels, HeadTraining())
        metrics = self._metrics(all_codes, all_lattices, losses)
        metrics |= self._errors(self._features(codes, lattices), labels)
        report(1.0, "trained")
        is_labelled = np.isfinite(data.labels).any(axis=1)
        return FitSummary(
            n_labelled=int(is_labelled.sum()),
            n_unlabelled=len(all_codes) - int(is_labelled.sum()),
            epochs=epochs,
            seconds=time.perf_counter() - start,
            metrics=metrics,
        )

    @torch.no_grad()
    def encode(self, materials: Sequence[Material]) -> Tensor:
        """Return posterior means, shape (n, d), float32.

        Raises:
            MaterialError: if a material is no decoration of the model's parents.
        """
        return self._encode(*self.space.read(materials))

    @torch.no_grad()
    def decode(self, z: Tensor, *, seed: int) -> list[Material]:
        """Return for each row of z, shape (n, d), its most probable decoration within bounds.

        Every species' count is within the count bounds, and all counts keep the rules, exactly.
        Cells are unrelaxed, of a size that ``ParentLattice.structure`` tells.

        Args:
            z: latent points.
            seed: changes nothing, because nothing is drawn.

        Raises:
            ModelError: if z is not finite or not of that shape, or the model is untrained.
        """
        del seed
        network, _ = self._trained()
        require_latent_points(z, network.n_latents)
        of_rows = network.log_probabilities(z.double()).numpy()
        lattices = network.lattice_weights(z).argmax(dim=-1).tolist()
        return [
            self.space.structure(most_probable_decoration(of_sites, self.space), lattice)
            for of_sites, lattice in zip(of_rows, lattices, strict=True)
        ]

    @torch.no_grad()
    def predict(self, z: Tensor) -> Prediction:
        """Return mean and standard deviation of every property at z, shape (n, d).

        Both are NaN for a property of which fewer than two labels were seen.
        """
        network, heads = self._trained()
        require_latent_points(z, network.n_latents)
        mean, std = heads.predict(self.embed(z).float())
        return Prediction(self.property_names, mean, std)

    def predicted_means(self, z: Tensor) -> Tensor:
        """Return the means of ``predict``, differentiable: shape (n, d) to (n, p)."""
        _, heads = self._trained()
        return heads.predict(self.embed(z).float())[0]

    def embed(self, z: Tensor) -> Tensor:
        """Return symmetry-invariant features, shape (..., d) to (..., m), in z's precision.

        The features are: each lattice's share in [0, 1] but the first's, the fractions of all
        species but the last on each sublattice, and for three neighbour shells the short-range
        order of each pair of unlike species (``alloop.models.lattice.correlations``), all of the
        soft decoration that z decodes to. For a material's own z they are nearly those of the
        material. They were preferred to a trained pooling because no network learns them from
        some hundred labels, and they cost a few matrix products.
        """
        network, _ = self._trained()
        probabilities = sharpened(network.log_probabilities(z).exp(), network.allowed)
        weights = network.lattice_weights(z)
        sites = [one.sites for one in self.space.sublattices]
        order = correlations(probabilities, network.averages.to(z.dtype), weights, sites)
        return torch.cat([weights[..., 1:], order], dim=-1)

    def explain(
        self,
        materials: Sequence[Material],
        *,
        background: Sequence[Material],
        property_name: str,
        seed: int,
    ) -> Explanation:
        """Return SHAP values of the heads' descriptors: composition and short-range order."""
        return explain(
            self, materials, background=background, property_name=property_name, seed=seed
        )

    def descriptor_weights(
        self, materials: Sequence[Material], *, property_name: str
    ) -> DescriptorWeights:
        """Return the heads' mean slopes against composition and pair correlations."""
        return descriptor_weights(self, materials, property_name=property_name)

    @property
    def heads(self) -> PropertyHeads:
        """The trained property heads.

        Raises:
            ModelError: if the model is untrained.
        """
        return self._trained()[1]

    def begin_with(self, trained: "LatticeModel", path: Path) -> None:
        """Take over the weights of a model that was trained on other data.

        The autoencoder's alone: property heads begin anew in each fit in any case.

        Args:
            trained: is left as it is.
            path: what an error calls it.

        Raises:
            ModelError: if it is of other sizes, elements, lattices or cells.
        """
        require_same(path, trained._identity(), self._identity())
        self._parts = copy.deepcopy(trained._trained()[0]), self._new_heads()

    def _identity(self) -> dict[str, Any]:
        """Return what decides the shapes and the meaning of the autoencoder's weights."""
        options, space = self.options, self.space
        latents = options.latents_per_site or len(space.species) - 1
        return {
            "space.elements": space.species,
            "space.lattices": tuple(parent.title for parent in space.parents),
            "space.sublattices": tuple(
                (one.n_sites, tuple(space.species[each] for each in one.species))
                for one in space.sublattices
            ),
            "model.width": options.width,
            "model.depth": options.depth,
            "model.latents_per_site": latents,
        }

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same model.

        Raises:
            ModelError: if the model is untrained.
        """
        network, heads = self._trained()
        checkpoint.write(
            path,
            LatticeDescription.of(self.options, self.space, self.property_names),
            checkpoint.tensors_of({"autoencoder": network, "heads": heads}),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises:
            ModelError: if the file is not one, or of another kind or version.
        """
        description, tensors = checkpoint.read(path, LatticeDescription)
        model = cls(description.options, description.decorations(), description.property_names)
        with torch.random.fork_rng(devices=[]):  # weights drawn here are overwritten at once
            parts = model._new_autoencoder(), model._new_heads()
        named = checkpoint.tensors_of({"autoencoder": parts[0], "heads": parts[1]})
        checkpoint.restore(path, tensors, named)
        model._parts = parts
        return model

    def _trained(self) -> tuple[Autoencoder, PropertyHeads]:
        if self._parts is None:
            raise ModelError("the model is untrained", remedy="Fit or load it first.")
        return self._parts

    def _new_autoencoder(self) -> Autoencoder:
        return Autoencoder(
            self.space.parents,
            len(self.space.species),
            self.space.sublattices,
            latents=self.options.latents_per_site or len(self.space.species) - 1,
            width=self.options.width,
            depth=self.options.depth,
        )

    def _new_heads(self) -> PropertyHeads:
        n_shells = len(self.space.parents[0].shells)
        sizes = len(self.space.species), n_shells, len(self.space.sublattices)
        features = n_correlations(*sizes) + len(self.space.parents) - 1
        return PropertyHeads(
            features,
            len(self.property_names),
            size=self.options.ensemble,
            width=self.options.width,
        )

    def _encode(self, codes: np.ndarray, lattices: np.ndarray) -> Tensor:
        network, _ = self._trained()
        batches = zip(
            torch.from_numpy(codes).split(ENCODE_ROWS),
            torch.from_numpy(lattices).split(ENCODE_ROWS),
            strict=True,
        )
        return torch.cat([network.encode(*batch) for batch in batches])

    @torch.no_grad()
    def _features(self, codes: np.ndarray, lattices: np.ndarray) -> Tensor:
        return self.embed(self._encode(codes, lattices))

    @torch.no_grad()
    def _metrics(self, codes: Tensor, lattices: Tensor, losses: LatticeLosses) -> dict[str, float]:
        network, _ = self._trained()
        decoded = network.log_probabilities(self._encode(codes.numpy(), lattices.numpy()))
        is_exact = (decoded.argmax(dim=-1) == codes).all(dim=-1)
        return {
            "cross_entropy_per_site": losses.cross_entropy,
            "kl_per_site": losses.kl,
            "reconstructed": float(is_exact.float().mean()),
        }

    @torch.no_grad()
    def _errors(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Return mean absolute errors of the heads on their training labels, in the properties'
        units."""
        mean, _ = self._trained()[1].predict(features)
        errors = {}
        for p, name in enumerate(self.property_names):
            known = labels[:, p].isfinite() & mean[:, p].isfinite()
            if known.any():
                errors[f"{name}_mae"] = float((mean - labels)[known, p].abs().mean())
        return errors
