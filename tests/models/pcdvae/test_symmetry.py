"""What must not change a crystal's latent point and elements, and how scores must change.

Everything is in double precision, with random weights.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from torch import Tensor

from alloop.models.pcdvae.networks.crystal import ReducedCrystal
from alloop.models.pcdvae.networks.decoder import Decoder
from alloop.models.pcdvae.networks.encoder import Encoder
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.layers import fitting_scales

ELEMENTS = ["Cr", "Fe", "Ni"]
CONTEXT = 5
TOLERANCE = 1e-6
ENCODER: Encoder
DECODER: Decoder

with torch.random.fork_rng():
    torch.manual_seed(0)
    ENCODER = Encoder(3, 12, width=16, blocks=2, cutoff=6.0).double()
    DECODER = Decoder(3, 3, CONTEXT, width=16, blocks=2, cutoff=6.0).double()
    for forces in DECODER.forces:
        torch.nn.init.normal_(forces.strength.weight)  # untrained it leaves all atoms in place


def read(structure: Structure) -> tuple[Graph, Tensor]:
    graph = Graph.of_crystals(
        [ReducedCrystal.of(structure, closest=1e-3)], k=14, cutoff=6.0, dtype=torch.float64
    )
    return graph, torch.tensor([ELEMENTS.index(site.specie.symbol) for site in structure])


@torch.no_grad()
def encode(structure: Structure) -> Tensor:
    mean, log_variance = ENCODER(*read(structure))
    return torch.cat([mean, log_variance], dim=1)


@torch.no_grad()
def decode(structure: Structure) -> tuple[Tensor, Tensor]:
    graph, species = read(structure)
    scores, logits = DECODER(
        graph, species, torch.linspace(-1, 1, CONTEXT).double().expand(graph.n, -1)
    )
    return scores, logits


def random_crystal(rng: np.random.Generator) -> Structure:
    lattice = Lattice(np.diag([3.8, 4.4, 5.0]) + rng.normal(scale=0.3, size=(3, 3)))
    species = rng.choice(ELEMENTS, size=7).tolist()
    return Structure(lattice, species, rng.random((7, 3)))


@pytest.fixture(autouse=True, scope="module")
def _scales_of_real_data() -> None:
    graph, species = read(random_crystal(np.random.default_rng(1)))
    with fitting_scales(DECODER), torch.no_grad():
        DECODER(graph, species, torch.zeros(graph.n, CONTEXT).double())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_scores_rotate_and_the_rest_stays(seed: int) -> None:
    """Rotations and reflections."""
    rng = np.random.default_rng(seed)
    crystal = random_crystal(rng)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotated = Structure(
        Lattice(crystal.lattice.matrix @ rotation), crystal.species, crystal.frac_coords
    )
    (scores, logits), (new_scores, new_logits) = decode(crystal), decode(rotated)
    assert scores.abs().max() > 0.1
    assert_close(new_scores, scores @ torch.from_numpy(rotation))
    assert_close(new_logits, logits)
    assert_close(encode(rotated), encode(crystal))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nothing_depends_on_how_a_crystal_is_written_down(seed: int) -> None:
    """Translation, order of atoms, choice of cell vectors, atoms moved by lattice vectors."""
    rng = np.random.default_rng(seed)
    crystal = random_crystal(rng)
    order = rng.permutation(len(crystal))
    basis = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.permutation(3)[:2]
        basis[i] += rng.integers(-1, 2) * basis[j]
    coords = crystal.frac_coords + rng.random(3) + rng.integers(-2, 3, size=(len(crystal), 3))
    other = Structure(
        Lattice(basis @ crystal.lattice.matrix),
        [crystal.species[row] for row in order],
        coords[order] @ np.linalg.inv(basis),
    )
    (scores, logits), (new_scores, new_logits) = decode(crystal), decode(other)
    assert_close(new_scores, scores[order])
    assert_close(new_logits, logits[order])
    assert_close(encode(other), encode(crystal))


@pytest.mark.parametrize("scaling", [(2, 1, 1), (1, 1, 2), (2, 2, 1)])
def test_a_supercell_has_its_cell_s_latent_point(
    scaling: tuple[int, int, int], triclinic: Structure
) -> None:
    """Because the encoder takes means over atoms."""
    assert_close(encode(triclinic * scaling), encode(triclinic))


def test_symmetric_crystals_have_no_preferred_direction(
    decorated: Callable[..., Structure],
) -> None:
    """Every atom of an undisplaced lattice of one element is a centre of symmetry."""
    crystal = decorated("fcc", shake=0)
    crystal.replace_species(dict.fromkeys(["Ni", "Fe"], "Cr"))
    scores, logits = decode(crystal)
    assert scores.abs().max() < TOLERANCE
    assert_close(logits, logits[:1].expand_as(logits))


def test_crystals_of_one_batch_do_not_see_each_other(
    triclinic: Structure, decorated: Callable[..., Structure]
) -> None:
    structures = [triclinic, decorated("bcc"), decorated("fcc")]
    graph = Graph.of_crystals(
        [ReducedCrystal.of(structure) for structure in structures],
        k=14,
        cutoff=6.0,
        dtype=torch.float64,
    )
    species = torch.cat([read(structure)[1] for structure in structures])
    with torch.no_grad():
        together = torch.cat(ENCODER(graph, species), dim=1)
    assert_close(together, torch.cat([encode(structure) for structure in structures]))


def test_atoms_that_are_elsewhere_or_others_change_the_latent_point(triclinic: Structure) -> None:
    moved, swapped = triclinic.copy(), triclinic.copy()
    moved.translate_sites([0], [0.02, 0, 0])
    swapped[0], swapped[1] = triclinic[1].specie, triclinic[0].specie
    for other in (moved, swapped):
        assert (encode(other) - encode(triclinic)).abs().max() > 1e-3


def assert_close(one: Tensor, other: Tensor) -> None:
    assert (one - other).abs().max() < TOLERANCE
