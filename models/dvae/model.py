"""The DVAE as a generative model of compositions."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from pymatgen.core import Composition, Element
from torch import Tensor

from alloop.errors import MaterialError, ModelError
from alloop.materials import Material, composition_of
from alloop.models import checkpoint
from alloop.models.analyses import Wish
from alloop.models.base import Dataset, FitSummary, OnProgress, Prediction, column_of
from alloop.models.dvae.elements import element_table
from alloop.models.dvae.limits import bounds_of
from alloop.models.dvae.options import DvaeOptions
from alloop.models.dvae.projection import Bounds, project
from alloop.models.dvae.trained import TrainedDvae
from alloop.models.dvae.training import fit
from alloop.models.explanation import Explanation
from alloop.models.latent_points import require_latent_points
from alloop.models.starting import require_same
from alloop.models.threads import single_thread
from alloop.space import Compositions


@dataclass(frozen=True)
class Assessment:
    """What the heads say of alloys, and whether the data lets them."""

    prediction: Prediction
    distance: Tensor
    """The least share of atoms to exchange for an alloy of the last fit, shape (n,)."""
    is_far: Tensor
    """Whether that is more than 99 % of the data's own alloys need for their nearest, (n,)."""


class Description(checkpoint.Description):
    """Everything about a model but its tensors."""

    kind: Literal["dvae"] = "dvae"
    version: Literal[4] = 4
    options: DvaeOptions
    space: Compositions | None
    """Space whose limits decoding keeps, without rules of one's own."""
    elements: tuple[str, ...]
    property_names: tuple[str, ...]
    scales: tuple[tuple[float, float], ...]
    """Location and scale of each node's internal scale, in the property's unit."""
    tree_nodes: tuple[int, ...]
    """Nodes of the largest tree of each head."""
    n_known: int
    """Number of alloys of the last fit."""


class DvaeModel:
    """A disentangled VAE: composition in, properties out, and back again.

    A latent point is (z, φ): first the d latents that are independent of the yes-or-no
    properties, then one column per property, in its unit; so a property is asked for by
    writing it into its column. The decoder takes a probability between 0 and 1 as it is.

    Args:
        options: sizes, priors and training.
        elements: that alloys may consist of, at least two.
        property_names: one node each, in the order of the columns.
        space: of these elements; what is decoded keeps its limits. None: there are none.

    Raises:
        ModelError: if these do not fit together.
        MaterialError: if too little is known of an element.
    """

    def __init__(
        self,
        options: DvaeOptions,
        elements: Sequence[str],
        property_names: Sequence[str],
        *,
        space: Compositions | None = None,
    ) -> None:
        if len(set(elements)) < max(2, len(elements)):
            raise ModelError(f"the elements {list(elements)} are not two or more, each named once")
        if not property_names:
            raise ModelError("the DVAE needs at least one property to set apart")
        element_table(elements)
        self.options = options
        self.elements = tuple(elements)
        self.property_names = tuple(property_names)
        self.space = space
        self._bounds = None if space is None else bounds_of(space, self.elements)
        self._learned: TrainedDvae | None = None

    def fit(self, data: Dataset, *, seed: int, on_progress: OnProgress | None = None) -> FitSummary:
        """Train on labelled and unlabelled alloys, and on alloys drawn at random by the seed.

        Encoder and decoder continue from their weights, if they have any; heads are fitted anew.

        Raises:
            MaterialError: if a material is no composition of the model's elements.
            ModelError: if the data's properties are not the model's, or a label is impossible.
        """
        data.require_properties(self.property_names)
        start = time.perf_counter()
        report = on_progress or (lambda share, message: None)
        fractions = self.fractions_of(data.materials)
        if len(fractions) < 2:
            raise ModelError(f"{len(fractions)} alloys are too few to train on")
        epochs = self.options.refit_epochs if self._learned else self.options.epochs
        with single_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learned = self._learned or self._untrained()
            for i, node in enumerate(learned.nodes):
                node.check(data.labels[:, i])
            losses = fit(
                learned,
                fractions,
                data.labels,
                self.options,
                seed=seed,
                epochs=epochs,
                is_new=self._learned is None,
                report=report,
            )
            self._learned = learned
        report(1.0, "trained")
        is_labelled = np.isfinite(data.labels).any(axis=1)
        return FitSummary(
            n_labelled=int(is_labelled.sum()),
            n_unlabelled=len(data) - int(is_labelled.sum()) + self.options.random_alloys,
            epochs=epochs,
            seconds=time.perf_counter() - start,
            metrics=losses,
        )

    def most_unlabelled(self, n_labelled: int) -> int:
        """Return as many as it draws at random: known alloys tell more of what is of interest, and
        an epoch takes no more than twice the time."""
        del n_labelled
        return self.options.random_alloys

    @torch.no_grad()
    def encode(self, materials: Sequence[Material]) -> Tensor:
        """Return posterior modes of (z, φ), shape (n, d + p), in double precision.

        φ is what the heads expect, for a yes-or-no property the more probable of 1 and 0.

        Raises:
            MaterialError: if a material is no composition of the model's elements.
        """
        learned = self.learned
        fractions = self.fractions_of(materials)
        values = learned.rounded(learned.believe(fractions).mean)
        return torch.cat([learned.encode(fractions, values), values], 1)

    @torch.no_grad()
    def decode(self, z: Tensor, *, seed: int) -> list[Material]:
        """Return for each row (z, φ), shape (n, d + p), the most probable composition.

        Where the heads do not find in it the yes-or-no properties that were asked for, it is
        decoded again from very near, if that helps. An alloy outside the limits of the model's
        space becomes the nearest inside; where there is none, it stays as it is.

        Args:
            z: latent points with the wanted properties.
            seed: of the places very near.
        """
        return [self.composition(row) for row in self._decoded(z, seed)]

    @torch.no_grad()
    def predict(self, z: Tensor) -> Prediction:
        """Return what the heads say of the alloys that z, shape (n, d + p), decodes to.

        Not what was asked for: what the decoder makes of it.
        """
        belief = self.learned.believe(self._decoded(z, 0))
        return Prediction(self.property_names, belief.mean, belief.std)

    @torch.no_grad()
    def assess(self, materials: Sequence[Material]) -> Assessment:
        """Return what the heads say of materials, whatever they were encoded to.

        Raises:
            MaterialError: if a material is no composition of the model's elements.
        """
        learned = self.learned
        fractions = self.fractions_of(materials)
        belief = learned.believe(fractions)
        distance = learned.distance(fractions)
        prediction = Prediction(self.property_names, belief.mean, belief.std)
        return Assessment(prediction, distance, distance > learned.far)

    def column_of(self, property_name: str) -> int:
        """Return a property's place among the model's.

        Raises:
            ModelError: if the model has no such property.
        """
        return column_of(self.property_names, property_name)

    def asking(self, z: Tensor, property_name: str, value: float) -> Tensor:
        """Return latent points (n, d + p) that ask for a value of a property, in its unit.

        Raises:
            ModelError: if the model has no such property.
        """
        z = z.clone()
        z[:, self.options.latents + self.column_of(property_name)] = value
        return z

    def points_around(self, material: Material, *, radius: float, n: int, seed: int) -> Tensor:
        """Return latent points (n, d + p) around a material's, with its properties asked for."""
        from alloop.models.dvae.design import around  # noqa: PLC0415 (it knows this module)

        return around(self, material, radius=radius, n=n, seed=seed)

    def smallest_changes(self, material: Material, wish: Wish) -> tuple[Material, ...]:
        """Return the way to the nearest alloy that has a yes-or-no property (Fig. 7)."""
        from alloop.models.dvae.inversion import smallest_changes  # noqa: PLC0415

        return smallest_changes(self, material, wish.property_name, wish.value)

    def explain(
        self,
        materials: Sequence[Material],
        *,
        background: Sequence[Material],
        property_name: str,
        seed: int,
    ) -> Explanation:
        """Return SHAP values of a head's descriptors; the background is the model's own."""
        from alloop.models.dvae.explanation import explain  # noqa: PLC0415

        del background  # it remembers the alloys of its last fit
        return explain(self, materials, property_name=property_name, seed=seed)

    def within_space(self, alloys: Sequence[Composition]) -> list[Composition]:
        """Return the nearest alloys within the limits of the model's space; as they are where there
        are none."""
        if self._bounds is None or not alloys:
            return list(alloys)
        return [self.composition(row) for row in _within(self.fractions_of(alloys), self._bounds)]

    def composition(self, fractions: Tensor) -> Composition:
        """Return element fractions (e,) as a material."""
        pairs = zip(self.elements, fractions.tolist(), strict=True)
        return Composition({Element(symbol): x for symbol, x in pairs if x > 0})

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same model.

        Raises:
            ModelError: if the model is untrained.
        """
        learned = self.learned
        description = Description(
            options=self.options,
            space=None if self.space is None else self.space.model_copy(update={"screens": ()}),
            elements=self.elements,
            property_names=self.property_names,
            scales=tuple((node.location, node.scale) for node in learned.nodes),
            tree_nodes=tuple(head.trees.value.shape[1] for head in learned.heads),
            n_known=len(learned.known),
        )
        checkpoint.write(path, description, learned.state_dict())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises:
            ModelError: if the file is not one, or of another kind or version.
        """
        description, tensors = checkpoint.read(path, Description)
        model = cls(
            description.options,
            description.elements,
            description.property_names,
            space=description.space,
        )
        with torch.random.fork_rng(devices=[]):  # weights drawn here are overwritten at once
            learned = model._untrained()
        for head, nodes in zip(learned.heads, description.tree_nodes, strict=True):
            head.trees.clear(len(head.trees.column), nodes)
        learned.known = torch.zeros(description.n_known, len(description.elements))
        for node, (location, scale) in zip(learned.nodes, description.scales, strict=True):
            node.location, node.scale = location, scale
        checkpoint.restore(path, tensors, learned.state_dict())
        model._learned = learned.eval()
        return model

    def begin_with(self, trained: "DvaeModel", path: Path) -> None:
        """Take over the weights of a model that was trained on other data; heads are fitted anew.

        Args:
            trained: is left as it is.
            path: what an error calls it.

        Raises:
            ModelError: if it is of other sizes, elements or properties.
        """
        require_same(path, trained._identity(), self._identity())
        self._learned = copy.deepcopy(trained.learned)

    def _identity(self) -> dict[str, Any]:
        return {
            "space.elements": self.elements,
            "properties": self.property_names,
            **self.options.sizes(),
        }

    def _decoded(self, z: Tensor, seed: int) -> Tensor:
        learned = self.learned
        d = self.options.latents
        width = d + len(self.property_names)
        require_latent_points(z, width)
        found = learned.decode_checked(z[:, :d], z[:, d:], seed)
        return found if self._bounds is None else _within(found, self._bounds)

    def fractions_of(self, materials: Sequence[Material]) -> Tensor:
        """Return element fractions, shape (n, e).

        Raises:
            MaterialError: if a material is no composition of the model's elements.
        """
        place = {symbol: i for i, symbol in enumerate(self.elements)}
        fractions = np.zeros((len(materials), len(place)))
        for row, material in enumerate(materials):
            amounts = composition_of(material).get_el_amt_dict()
            if stray := sorted(set(amounts) - set(place)):
                raise MaterialError(
                    f"{stray[0]} is not among the model's elements",
                    where=f"material {row}, {material.formula}",
                    remedy=f"It knows {', '.join(self.elements)}.",
                )
            for symbol, amount in amounts.items():
                fractions[row, place[symbol]] = amount
        return torch.from_numpy(fractions).float()

    @property
    def learned(self) -> TrainedDvae:
        """Return what was learned, on tensors.

        Raises:
            ModelError: if the model is untrained.
        """
        if self._learned is None:
            raise ModelError("the model is untrained", remedy="Fit or load it first.")
        return self._learned

    def _untrained(self) -> TrainedDvae:
        return TrainedDvae(self.options, self.elements, self.property_names)


def _within(fractions: Tensor, bounds: Bounds) -> Tensor:
    """Return the nearest allowed alloys (n, e); as they are where there is none."""
    given = fractions.numpy().astype(float)
    found = project(given, bounds)
    return torch.from_numpy(np.where(np.isnan(found), given, found)).to(fractions.dtype)
