"""P-CDVAE: a generator of crystals where no parent lattice is given."""

import copy
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from pymatgen.core import Element
from torch import Tensor
from torch.func import functional_call

from alloop.canonical import canonical_json, sha256
from alloop.errors import ModelError
from alloop.materials import Material, material_id
from alloop.models import checkpoint
from alloop.models.base import Dataset, FitSummary, KeptFit, OnProgress, Prediction
from alloop.models.latent_points import require_latent_points
from alloop.models.pcdvae import sampling
from alloop.models.pcdvae.description import ModelDescription, TrainingDescription
from alloop.models.pcdvae.losses import bounded_log_variance
from alloop.models.pcdvae.networks.crystal import COINCIDENCE_DISTANCE, ReducedCrystal
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.network import PcdvaeNetwork
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.resuming import FileOfFit, TrainingCheckpoint
from alloop.models.pcdvae.rows import CrystalRows, relaxed_of
from alloop.models.pcdvae.training import Trainer
from alloop.models.pcdvae.vocabulary import UNKNOWN_PHASE, Vocabulary
from alloop.models.starting import require_same

ENCODE_ROWS = 64
"""Number of crystals encoded at once; bounds the memory."""


class PcdvaeModel:
    """A diffusion variational autoencoder of crystals (CDVAE, Xie et al. 2022), which with
    ``options.phase`` tells its decoder the crystalline phase (P-CDVAE, AlloGen).

    A latent point is unchanged by rotation, translation, the order of atoms and the choice of the
    cell. A supercell has its cell's latent point; so where several numbers of atoms are allowed,
    z cannot tell how many of them there were.

    Decoding draws atoms' first places from its seed. It keeps the numbers of atoms of each element
    that the composition head gives, unless ``ordering_rounds`` finds some whose encoding is nearer
    to z; they are within ``count_bounds``. The code of a cell (``alloop.models.pcdvae.cells``)
    lies within the range of the training data's.

    Args:
        options: sizes, training, sampling.
        elements: symbols.
        atom_counts: numbers of atoms that a decoded cell may have.
        phases: names of parent lattices (``alloop.models.lattice.parent``) to tell apart; not used
            without ``options.phase``.
        count_bounds: fewest and most atoms of each element that ``decode`` may give; elements
            left out may have any count. They can be met for every number of atoms.
        property_names: properties that ``predict`` gives, in the order of its columns.

    Raises:
        ModelError: if these do not fit together, or there is no such device.
    """

    def __init__(
        self,
        options: PcdvaeOptions,
        elements: Sequence[str],
        atom_counts: Sequence[int],
        phases: Sequence[str],
        count_bounds: Mapping[str, tuple[int, int]],
        property_names: Sequence[str],
    ) -> None:
        self.options = options
        self.property_names = tuple(property_names)
        self.vocabulary = Vocabulary.of(
            elements, atom_counts, phases if options.phase else None, count_bounds
        )
        self.device = _device(options)
        self._network: PcdvaeNetwork | None = None

    def fit(
        self,
        data: Dataset,
        *,
        seed: int,
        on_progress: OnProgress | None = None,
        resume_from: Path | None = None,
    ) -> FitSummary:
        """Train, from the weights there are, for ``options.epochs`` or ``refit_epochs``.

        Args:
            data: structures. Rows from local search join as ``options.augmented_from`` says.
            seed: of everything random.
            on_progress: told after every epoch.
            resume_from: file that the training is kept in while it lasts. If it is there, the
                training goes on from it; at the end it is removed.

        Raises:
            MaterialError: if a material cannot be represented; before any training.
            ModelError: if the data's properties are not the model's, no row has a known phase
                where the phase is told, or the file is of another training.
            TrainingDiverged: at the first number that is not finite; the model stays as it was.
        """
        kept = None if resume_from is None else FileOfFit(resume_from)
        return self._fit(data, seed, kept, on_progress, is_to_match=True)

    def fit_kept(
        self, data: Dataset, *, seed: int, kept: KeptFit, on_progress: OnProgress | None = None
    ) -> FitSummary:
        """Train as ``fit`` does, going on from what is kept of the same training.

        What is kept of another training is not used, and ``on_progress`` says so.

        Raises:
            MaterialError, ModelError, TrainingDiverged: as ``fit``.
        """
        return self._fit(data, seed, kept, on_progress, is_to_match=False)

    def _fit(
        self,
        data: Dataset,
        seed: int,
        kept: KeptFit | None,
        on_progress: OnProgress | None,
        *,
        is_to_match: bool,
    ) -> FitSummary:
        data.require_properties(self.property_names)
        start = time.perf_counter()
        report = on_progress or (lambda share, message: None)
        rows = self._read_rows(data)
        network = self._network_to_train(rows, seed)
        epochs = self.options.refit_epochs if self._network else self.options.epochs
        trainer = Trainer(network, self.options, rows, epochs, seed)
        file = None if kept is None else self._training_file(kept, data, trainer)
        found = None
        try:
            found = None if file is None else file.find()
        except ModelError as error:
            if is_to_match:
                raise
            report(0.0, f"begins anew, since what was kept of a fit is of no use: {error.what}")
        if found is not None:
            found.restore_into(trainer)
            report(trainer.epoch / epochs, f"goes on after epoch {trainer.epoch} of {epochs}")
        elif self._network is None:
            trainer.fit_scales()
        remaining = trainer.epochs - trainer.epoch

        def on_epoch(done: int, means: dict[str, float]) -> None:
            if file:
                file.save(trainer)
            report(done / epochs, f"epoch {done} of {epochs}, {_format_losses(means)}")

        means = trainer.run(on_epoch)
        self._network = network.eval()
        if file:
            file.remove()
        report(1.0, "trained")
        is_labelled = np.isfinite(data.labels).any(axis=1)
        return FitSummary(
            n_labelled=int(is_labelled.sum()),
            n_unlabelled=int((~is_labelled).sum()),
            epochs=max(remaining, 1),
            seconds=time.perf_counter() - start,
            metrics=means | self._errors(data),
        )

    def learns_relaxed(self) -> bool:
        """Return True: the decoder learns the places where atoms come to rest."""
        return True

    def most_unlabelled(self, n_labelled: int) -> int:
        """Return a quarter as many as are labelled: every crystal costs the same time in each
        epoch, and diffusion trains long."""
        return n_labelled // 4

    @torch.no_grad()
    def encode(self, materials: Sequence[Material]) -> Tensor:
        """Return posterior means, shape (n, latent), float32, on the CPU.

        Raises:
            MaterialError: if a material is no crystal, or has an element that is not the model's.
        """
        network = self._trained()
        # What was decoded may not be valid, and can be encoded all the same.
        crystals, species = self.vocabulary.read(materials, closest=COINCIDENCE_DISTANCE)
        parts = [torch.zeros(0, self.options.latent)]
        for first in range(0, len(crystals), ENCODE_ROWS):
            some = slice(first, first + ENCODE_ROWS)
            graph = self._graph(crystals[some])
            mean, _ = network.encoder(graph, torch.cat(species[some]).to(self.device))
            parts.append(mean.cpu())
        return torch.cat(parts)

    @torch.no_grad()
    def decode(self, z: Tensor, *, seed: int) -> list[Material]:
        """Return one structure per row of z, shape (n, latent), unrelaxed.

        Raises:
            ModelError: if z is not finite or not of that shape, or the model is untrained.
        """
        network = self._trained()
        require_latent_points(z, self.options.latent)
        rng = np.random.default_rng(seed)
        decoded: list[Material] = []
        for some in z.float().to(self.device).split(self.options.decode_batch):
            conditions = sampling.predict_conditions(network, some, self.vocabulary)
            atoms = sampling.sample(network, conditions, self.vocabulary, self.options, rng)
            decoded.extend(self._structures(conditions, atoms))
        return decoded

    def draw(self, n: int, *, seed: int) -> Tensor:
        """Return latent points from the prior, the standard normal, shape (n, latent)."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(n, self.options.latent, generator=generator)

    @torch.no_grad()
    def predict(self, z: Tensor) -> Prediction:
        """Return mean and standard deviation of every property at z, shape (n, latent).

        Both are NaN for a property of which fewer than two different labels were seen.
        """
        network = self._trained()
        require_latent_points(z, self.options.latent)
        read = network.heads(z.float().to(self.device))
        mean = read.property_mean * network.label_std + network.label_mean
        std = torch.exp(0.5 * bounded_log_variance(read.property_log_variance)) * network.label_std
        return Prediction(self.property_names, mean.cpu(), std.cpu())

    def predicted_means(self, z: Tensor) -> Tensor:
        """Return the means of ``predict``, differentiable: shape (n, latent) to (n, p)."""
        network = self._trained()
        mean = network.heads(z.float().to(self.device)).property_mean
        return (mean * network.label_std + network.label_mean).cpu()

    def embed(self, z: Tensor) -> Tensor:
        """Return the heads' outputs at z, shape (..., latent) to (..., m), in z's precision.

        Properties' means and the cell, standardised; composition and phase as probabilities.
        A surrogate with some dozens of labels can learn from these few numbers, not from hundreds
        of latent coordinates, most of which say nothing about the property.
        """
        network = self._trained()
        weights = {name: w.detach().to(z) for name, w in network.heads.named_parameters()}
        read = functional_call(network.heads, weights, (z,))
        parts = [
            read.property_mean,
            read.cell,
            read.composition.softmax(dim=-1)[..., 1:],
            read.phase.softmax(dim=-1)[..., 1:],
        ]
        return torch.cat(parts, dim=-1)

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same model.

        Raises:
            ModelError: if the model is untrained.
        """
        checkpoint.write(path, self._description(), self._trained().state_dict())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises:
            ModelError: if the file is not one, or of another kind or version.
        """
        description, tensors = checkpoint.read(path, ModelDescription)
        model = cls(
            description.options,
            description.elements,
            description.atom_counts,
            description.phases,
            description.count_bounds,
            description.property_names,
        )
        with torch.random.fork_rng(devices=[]):  # weights drawn here are overwritten at once
            network = model._new_network()
        checkpoint.restore(path, tensors, network.state_dict())
        model._network = network.to(model.device).eval()
        return model

    def begin_with(self, trained: "PcdvaeModel", path: Path) -> None:
        """Take over the weights of a model that was trained on other data.

        Args:
            trained: is left as it is.
            path: what an error calls it.

        Raises:
            ModelError: if it is of other sizes, elements, numbers of atoms, phases or properties.
        """
        require_same(path, trained._identity(), self._identity())
        self._network = copy.deepcopy(trained.network).to(self.device)

    def _identity(self) -> dict[str, Any]:
        return {
            "space.elements": self.vocabulary.elements,
            "space.atoms": self.vocabulary.atom_counts,
            "space.lattices": self.vocabulary.phases,
            "properties": self.property_names,
            **self.options.sizes(),
        }

    @property
    def network(self) -> PcdvaeNetwork:
        """The trained network.

        Raises:
            ModelError: if the model is untrained.
        """
        return self._trained()

    def _trained(self) -> PcdvaeNetwork:
        if self._network is None:
            raise ModelError("the model is untrained", remedy="Fit or load it first.")
        return self._network

    def _new_network(self) -> PcdvaeNetwork:
        return PcdvaeNetwork(
            self.options,
            elements=len(self.vocabulary.elements),
            counts=len(self.vocabulary.atom_counts),
            properties=len(self.property_names),
            phases=len(self.vocabulary.phases),
        )

    def _read_rows(self, data: Dataset) -> CrystalRows:
        if len(data) == 0:
            raise ModelError("there is nothing to train on", remedy="Give at least one structure.")
        rows = CrystalRows.of(
            self.vocabulary,
            data,
            k=self.options.neighbours,
            cutoff=self.options.cutoff,
        )
        if self.vocabulary.phases and bool((rows.phase == UNKNOWN_PHASE).all()):
            raise ModelError(
                f"no structure is recognised as {' or '.join(self.vocabulary.phases)}",
                remedy="Give cells in their parents' setting, or set phase: false.",
            )
        return rows

    def _network_to_train(self, rows: CrystalRows, seed: int) -> PcdvaeNetwork:
        """Return a new network, or a copy of the one there is, in the data's units."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._new_network()
        if self._network is None:
            network.standardise_cells(rows.cell_code)
        else:
            network.load_state_dict(self._network.state_dict())
            network.widen_cell_range(rows.cell_code)
        network.standardise_labels(rows.labels)
        return network.to(self.device).train()

    def _training_file(self, kept: KeptFit, data: Dataset, trainer: Trainer) -> TrainingCheckpoint:
        contents = {
            "materials": [material_id(material) for material in data.materials],
            "relaxed": [None if m is None else material_id(m) for m in relaxed_of(data)],
            "labels": [[repr(float(x)) for x in row] for row in data.labels],
            "is_augmented": data.is_augmented.tolist(),
            "weights": [repr(float(weight.detach().double().sum())) for weight in trainer.weights],
        }
        description = TrainingDescription(
            model=self._description(),
            data=sha256(canonical_json(contents)),
            seed=trainer.seed,
            epochs=trainer.epochs,
            epoch=0,
            step=0,
        )
        return TrainingCheckpoint(kept, description)

    def _description(self) -> ModelDescription:
        return ModelDescription(
            options=self.options,
            elements=self.vocabulary.elements,
            atom_counts=self.vocabulary.atom_counts,
            phases=self.vocabulary.phases,
            count_bounds=dict(
                zip(self.vocabulary.elements, self.vocabulary.count_bounds, strict=True)
            ),
            property_names=self.property_names,
        )

    def _graph(self, crystals: Sequence[ReducedCrystal]) -> Graph:
        return Graph.of_crystals(
            crystals, k=self.options.neighbours, cutoff=self.options.cutoff
        ).to(self.device)

    def _structures(
        self, conditions: sampling.DecodingConditions, atoms: sampling.NoisyAtoms
    ) -> list[Material]:
        numbers = np.array([Element(symbol).Z for symbol in self.vocabulary.elements])
        parts = zip(
            conditions.cells,
            np.split(atoms.positions, conditions.ends[:-1]),
            np.split(numbers[atoms.species], conditions.ends[:-1]),
            strict=True,
        )
        return [
            ReducedCrystal(of, positions, cell).structure(wrapped=True)
            for cell, positions, of in parts
        ]

    def _errors(self, data: Dataset) -> dict[str, float]:
        """Return mean absolute errors on the training labels, in the properties' units."""
        mean = self.predict(self.encode(data.materials)).mean.numpy()
        wrong = np.abs(mean - data.labels)
        return {
            f"{name}_mae": float(np.nanmean(wrong[:, p]))
            for p, name in enumerate(self.property_names)
            if np.isfinite(wrong[:, p]).any()
        }


def _device(options: PcdvaeOptions) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if options.device == "cuda" and not has_cuda:
        raise ModelError("there is no CUDA device", remedy="Set device: cpu or auto.")
    return torch.device("cuda" if has_cuda and options.device != "cpu" else "cpu")


def _format_losses(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
