"""Sampling: from a latent point to a crystal, by the heads' predictions, then by denoising.

Langevin is the published sampler: at each of 50 noise levels, 100 steps (CDVAE, algorithm 1) of
score and fresh noise. A last step goes to the mean of what the noise that is left may hide
(Tweedie's formula), without which atoms would lie 0.014 Å off along each axis, as CDVAE's do.
Ancestral takes one step from a level to the next, with the noise that
remains between the two (Song et al. 2021, Eq. 47): tens of decoder calls in place of thousands.
Of eight small crystals learnt by heart (``benchmarks.pcdvae.overfit``) ancestral rebuilt 0.84 with
50 calls and 0.88 with 500; Langevin 0.91 with 50, 0.97 with 100, all with 200. Langevin with 200
calls rebuilt the geometry of 16-atom alloys (``benchmarks/pcdvae/README.md``), ancestral did not
with 50 calls or 150; atoms seem to end in glasses, which noise at each level would get them out of.
Where steps are spent matters more than how many there are. Such alloys freeze while the noise falls
from 0.5 to 0.1 Å: about 0.2 Å along each axis is where solids melt by Lindemann's rule. Of 64
training crystals 23 % had defects after 4 steps at every level (201 calls), 1.6 % after 12 (601),
none after 24 steps at these levels and one at each other (304), and 86 % after 12 between 1.5 and
0.25 Å and one elsewhere (194). Hence ``freezing_steps``.
From the sites of the predicted phase's parent (``parent_start``) nothing has to freeze, and a few
ancestral steps find the relaxation; elements are then sought by the encoder (``ordering``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alloop.errors import ModelError
from alloop.models.lattice.assignment import most_probable
from alloop.models.pcdvae.cells import cells_from_codes
from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.network import PcdvaeNetwork
from alloop.models.pcdvae.networks.noise import MAX_SIGMA, MIN_SIGMA, levels
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.ordering import Decoration, decorate
from alloop.models.pcdvae.parent_start import parent_positions
from alloop.models.pcdvae.vocabulary import CountBounds, Vocabulary

FREEZING = (0.1, 0.5)
"""Range of noise levels at which alloys freeze, Å."""
SETTLING_NOISE = 0.25
"""Noise from which atoms are denoised again once elements have changed, Å: more than relaxations
move them, less than melts a crystal."""
SCHEDULE_POWER = 7.0
"""Exponent that spaces the levels of the ancestral sampler (Karras et al. 2022, Eq. 5)."""


@dataclass(frozen=True)
class DecodingConditions:
    """Conditions that stay fixed while atoms are denoised: latent points, cells, composition,
    phase."""

    z: Tensor
    """Latent points, shape (b, latent)."""
    cells: FloatArray
    """Lattice vectors as rows, Å, shape (b, 3, 3)."""
    n_atoms: IntArray
    """Number of atoms of each crystal, shape (b,)."""
    phase: Tensor
    """Index of each crystal's phase, shape (b,)."""
    counts: tuple[IntArray, ...]
    """Numbers of atoms of each element, shape (n_elements,) for each crystal."""

    @property
    def ends(self) -> IntArray:
        """Row after each crystal's last atom, shape (b,)."""
        return np.cumsum(self.n_atoms)


@dataclass
class NoisyAtoms:
    """Atoms being denoised: positions and elements, which change."""

    positions: FloatArray
    """Cartesian positions, Å, shape (n, 3)."""
    species: IntArray
    """Index of each atom's element, shape (n,)."""


def predict_conditions(
    network: PcdvaeNetwork, z: Tensor, vocabulary: Vocabulary
) -> DecodingConditions:
    """Return the most probable cell, numbers of atoms of each element, and phase.

    Args:
        network: trained.
        z: shape (b, latent).
        vocabulary: allowed numbers of atoms, and of each element.
    """
    read = network.heads(z)
    n_atoms = np.array([vocabulary.atom_counts[i] for i in read.count.argmax(dim=1).tolist()])
    codes = network.codes_from_cells(z).double().cpu().numpy()
    fractions = read.composition.softmax(dim=1).double().cpu().numpy()
    return DecodingConditions(
        z=z,
        cells=cells_from_codes(codes, n_atoms),
        n_atoms=n_atoms,
        phase=read.phase.argmax(dim=1),
        counts=tuple(
            whole_counts(row, int(n), vocabulary.count_bounds)
            for row, n in zip(fractions, n_atoms, strict=True)
        ),
    )


def whole_counts(fractions: FloatArray, n: int, bounds: CountBounds) -> IntArray:
    """Return whole numbers of atoms, within bounds, that add up to n and are nearest to fractions.

    Args:
        fractions: of each element, adding up to 1.
        n: atoms.
        bounds: fewest and most of each element; they can be met.
    """
    low, high = np.array(bounds).T
    counts = np.clip(np.floor(fractions * n).astype(np.int64), low, high)
    while (missing := n - int(counts.sum())) != 0:
        step = int(np.sign(missing))
        can_move = counts < high if step > 0 else counts > low
        gain = np.where(can_move, step * (fractions * n - counts), -np.inf)
        counts[int(gain.argmax())] += step
    return counts


def sample(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    vocabulary: Vocabulary,
    options: PcdvaeOptions,
    rng: np.random.Generator,
) -> NoisyAtoms:
    """Denoise atoms from random places, or from their parent's sites; and seek their elements.

    Raises:
        ModelError: if the decoder's scores are not finite.
        MaterialError: if a number of atoms fills no supercell of a parent it is to begin on.
    """
    atoms = _random_atoms(conditions, rng)
    places = atoms.positions
    if options.prior == "parent":
        phase = conditions.phase.cpu().numpy()
        places = parent_positions(vocabulary.phases, phase, conditions.cells, conditions.n_atoms)
        atoms.positions = places + options.largest_noise * rng.standard_normal(places.shape)
    if options.prior == "uniform" or not options.ordering_rounds:
        sampler = langevin if options.sampler == "langevin" else ancestral
        for _ in sampler(network, conditions, atoms, options, rng):
            pass
    if options.prior == "uniform":
        places = atoms.positions
    settling = options.model_copy(
        update={"largest_noise": min(options.largest_noise, SETTLING_NOISE)}
    )
    for round in range(options.ordering_rounds):
        seen = atoms.positions if round else places
        atoms.species = _nearest_elements(network, conditions, vocabulary, seen, atoms, options)
        noise = settling.largest_noise * rng.standard_normal(places.shape)
        atoms.positions = places + noise
        for _ in ancestral(network, conditions, atoms, settling, rng, are_elements_known=True):
            pass
    return atoms


def _nearest_elements(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    vocabulary: Vocabulary,
    positions: FloatArray,
    atoms: NoisyAtoms,
    options: PcdvaeOptions,
) -> IntArray:
    """Return elements whose encoding, with atoms at these positions, is nearest to z."""
    device = conditions.z.device
    parts = zip(
        np.split(positions, conditions.ends[:-1]),
        np.split(atoms.species, conditions.ends[:-1]),
        conditions.cells,
        conditions.z,
        strict=True,
    )
    k, cutoff = options.neighbours, options.cutoff
    crystals = [
        Decoration(
            Graph.of(places, cell[None], np.array([len(places)]), k=k, cutoff=cutoff).to(device),
            torch.from_numpy(species).to(device),
            z,
        )
        for places, species, cell, z in parts
    ]
    bounds, n_evaluated = vocabulary.count_bounds, options.ordering_changes
    decorate(network.encoder, crystals, bounds, n_evaluated=n_evaluated)
    return torch.cat([crystal.species for crystal in crystals]).cpu().numpy()


def langevin(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    atoms: NoisyAtoms,
    options: PcdvaeOptions,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Move the atoms level by level, and yield each level's σ in Å after it.

    CDVAE's step at level σ is ε (σ / σ_last)² with ε = 1e-4: with σ_last = 0.01 Å, σ². The last
    level's noise is taken away at the end.
    """
    *larger, last = map(float, levels(options.largest_noise))
    for sigma in larger:
        _langevin_steps(network, conditions, atoms, sigma, options, rng)
        yield sigma
    _langevin_steps(network, conditions, atoms, last, options, rng)
    atoms.positions = atoms.positions + last * _denoised(network, conditions, atoms, last, options)
    yield last


def _langevin_steps(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    atoms: NoisyAtoms,
    sigma: float,
    options: PcdvaeOptions,
    rng: np.random.Generator,
) -> None:
    """Take the Langevin steps of one noise level."""
    for _ in range(_steps_at(sigma, options)):
        scores = _denoised(network, conditions, atoms, sigma, options)
        noise = rng.standard_normal(atoms.positions.shape)
        atoms.positions = atoms.positions + sigma * scores + np.sqrt(2) * sigma * noise


def _steps_at(sigma: float, options: PcdvaeOptions) -> int:
    is_freezing = FREEZING[0] <= sigma <= FREEZING[1]
    if is_freezing and options.freezing_steps is not None:
        return options.freezing_steps
    return options.langevin_steps


def ancestral(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    atoms: NoisyAtoms,
    options: PcdvaeOptions,
    rng: np.random.Generator,
    *,
    are_elements_known: bool = False,
) -> Iterator[float]:
    """Move the atoms from level to level, and yield each level's σ in Å after it.

    Elements that are known stay as they are.
    """
    sigmas = schedule(options.ancestral_steps, options.largest_noise)
    for sigma, following in zip(sigmas, [*sigmas[1:], 0.0], strict=True):
        known = atoms.species
        scores = _denoised(network, conditions, atoms, float(sigma), options)
        if are_elements_known:
            atoms.species = known
        noise = rng.standard_normal(atoms.positions.shape)
        gone = sigma**2 - following**2
        atoms.positions = (
            atoms.positions + gone / sigma * scores + following / sigma * np.sqrt(gone) * noise
        )
        yield float(sigma)


def schedule(n: int, largest: float = MAX_SIGMA) -> FloatArray:
    """Return n noise levels in Å, largest first, dense where structures are decided."""
    ramp = np.linspace(largest ** (1 / SCHEDULE_POWER), MIN_SIGMA ** (1 / SCHEDULE_POWER), n)
    return ramp**SCHEDULE_POWER


def _random_atoms(conditions: DecodingConditions, rng: np.random.Generator) -> NoisyAtoms:
    """Draw uniform positions, and the given numbers of each element in random order."""
    of_atom = np.repeat(np.arange(len(conditions.n_atoms)), conditions.n_atoms)
    frac = rng.random((len(of_atom), 3))
    return NoisyAtoms(
        positions=np.einsum("ni,nij->nj", frac, conditions.cells[of_atom]),
        species=np.concatenate(
            [
                rng.permutation(np.repeat(np.arange(len(counts)), counts))
                for counts in conditions.counts
            ]
        ),
    )


@torch.no_grad()
def _denoised(
    network: PcdvaeNetwork,
    conditions: DecodingConditions,
    atoms: NoisyAtoms,
    sigma: float,
    options: PcdvaeOptions,
) -> FloatArray:
    """Return scores in units of 1 / σ, and let the atoms take their most probable elements.

    The numbers of atoms of each element are kept: the published sampler takes each atom's most
    probable element by itself, which while little is known is the same for all.
    """
    graph = Graph.of(
        atoms.positions,
        conditions.cells,
        conditions.n_atoms,
        k=options.neighbours,
        cutoff=options.cutoff,
    ).to(conditions.z.device)
    species = torch.from_numpy(atoms.species).to(conditions.z.device)
    level = torch.full((len(conditions.n_atoms),), sigma, device=conditions.z.device)
    scores, logits = network.denoise(graph, species, conditions.phase, conditions.z, level)
    if not bool(torch.isfinite(scores).all() and torch.isfinite(logits).all()):
        raise ModelError(
            f"the decoder's scores are not finite at a noise of {sigma:.3g} Å",
            remedy="The latent points may lie far outside those of the training data.",
        )
    log_probabilities = logits.double().log_softmax(dim=1).cpu().numpy()
    atoms.species = np.concatenate(
        [
            most_probable(rows, [(int(n), int(n)) for n in counts])
            for rows, counts in zip(
                np.split(log_probabilities, conditions.ends[:-1]), conditions.counts, strict=True
            )
        ]
    )
    return scores.double().cpu().numpy()
