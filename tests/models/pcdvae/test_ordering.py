"""Elements sought by the encoder, and places to begin from: P-CDVAE's way to few calls."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from alloop.campaigns.load import parse_spec
from alloop.errors import SpecError
from alloop.models.lattice.parent import ParentLattice
from alloop.models.pcdvae.networks.crystal import ReducedCrystal, read_crystals
from alloop.models.pcdvae.networks.encoder import Encoder
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.ordering import Decoration, changes, decorate
from alloop.models.pcdvae.parent_start import parent_positions

ANY = ((0, 16),) * 3


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """Return an encoder that has learnt nothing: what it sees already tells decorations apart."""
    torch.manual_seed(0)
    return Encoder(3, 8, width=16, blocks=1, cutoff=7.0)


def crystal_of(structure: Structure, encoder: Encoder) -> tuple[Decoration, torch.Tensor]:
    """Return a crystal whose latent point is its own, and its elements."""
    graph = Graph.of_crystals(read_crystals([structure]), k=14, cutoff=7.0)
    species = torch.tensor([("Cr", "Fe", "Ni").index(str(site.specie)) for site in structure])
    with torch.no_grad():
        z = encoder(graph, species)[0][0]
    return Decoration(graph, species, z), species


def distance(crystal: Decoration, encoder: Encoder) -> float:
    with torch.no_grad():
        return float((encoder(crystal.graph, crystal.species)[0][0] - crystal.z).norm())


def test_changes_are_all_exchanges_and_replacements_within_bounds() -> None:
    species = torch.tensor([0] * 3 + [1] * 2 + [2])
    found = changes(species, 3, ((0, 6),) * 3)
    n_exchanges, n_replacements = 3 * 2 + 3 * 1 + 2 * 1, 6 * 2
    assert len(found.unique(dim=0)) == len(found) == n_exchanges + n_replacements
    moved = (found != species).sum(dim=1)
    assert sorted(moved.tolist()) == [1] * n_replacements + [2] * n_exchanges
    exact = changes(species, 3, ((3, 3), (2, 2), (1, 1)))
    assert len(exact) == n_exchanges
    assert len(changes(species, 3, ((3, 3), (2, 3), (0, 6)))) == n_exchanges + 1


@pytest.mark.parametrize("name", ["fcc", "bcc"])
@pytest.mark.parametrize("wrong", ["two atoms exchanged", "another element"])
def test_a_decoration_one_change_away_is_found_where_all_changes_are_evaluated(
    name: str, wrong: str, encoder: Encoder, decorated: Callable[..., Structure]
) -> None:
    crystal, true = crystal_of(decorated(name, seed=1), encoder)
    start = true.clone()
    unlike = int((true != true[0]).nonzero()[0])
    if wrong == "two atoms exchanged":
        start[0], start[unlike] = true[unlike], true[0]
    else:
        start[-1] = (true[-1] + 1) % 3
    crystal.species = start
    decorate(encoder, [crystal], ANY, n_evaluated=1000)
    assert torch.equal(crystal.species, true)


def test_crystals_are_sought_together_as_each_alone_and_come_nearer(
    encoder: Encoder, decorated: Callable[..., Structure]
) -> None:
    rng = torch.Generator().manual_seed(0)
    pairs = [crystal_of(decorated(seed=seed), encoder) for seed in range(3)]
    starts = [true[torch.randperm(16, generator=rng)] for _, true in pairs]
    alone = []
    for (crystal, _), start in zip(pairs, starts, strict=True):
        crystal.species = start
        before = distance(crystal, encoder)
        decorate(encoder, [crystal], ANY, n_evaluated=4)
        assert distance(crystal, encoder) < before
        alone.append(crystal.species)
        crystal.species = start
    crystals = [crystal for crystal, _ in pairs]
    decorate(encoder, crystals, ANY, n_evaluated=4)
    for crystal, expected in zip(crystals, alone, strict=True):
        assert torch.equal(crystal.species, expected)


def test_counts_stay_within_bounds(encoder: Encoder, decorated: Callable[..., Structure]) -> None:
    crystal, _ = crystal_of(decorated(seed=1), encoder)
    start = torch.tensor([0] * 8 + [1] * 4 + [2] * 4)
    crystal.species = start
    decorate(encoder, [crystal], ((7, 8), (4, 16), (0, 4)), n_evaluated=8)
    n_cr, n_fe, n_ni = torch.bincount(crystal.species, minlength=3).tolist()
    assert 7 <= n_cr <= 8
    assert n_fe >= 4
    assert n_ni <= 4
    assert not torch.equal(crystal.species, start)


@pytest.mark.parametrize("atoms", [2, 16, 54])
@pytest.mark.parametrize(("name", "n_nearest", "per_edge"), [("fcc", 12, 4), ("bcc", 8, 2)])
def test_atoms_begin_on_their_parent_s_sites(
    name: str, n_nearest: int, per_edge: int, atoms: int
) -> None:
    """Nearest neighbours are a/√2 apart in fcc and √3 a/2 in bcc, with 4 and 2 atoms in a³."""
    volume = 11.5
    parent = ParentLattice.of_size(name, atoms)
    crystal = ReducedCrystal.of(parent.structure(["Ni"] * atoms, volume_per_atom=volume))
    cells, counts = crystal.cell[None], np.array([atoms])
    places = parent_positions(("hcp", name), np.array([1]), cells, counts)
    graph = Graph.of(places, cells, counts, k=n_nearest, cutoff=7.0)
    edge = (per_edge * volume) ** (1 / 3)
    expected = edge * {"fcc": 1 / np.sqrt(2), "bcc": np.sqrt(3) / 2}[name]
    assert len(graph.distance) == n_nearest * atoms
    assert np.allclose(graph.distance, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prior": "parent", "phase": False}, "it needs model.phase"),
        ({"largest_noise": 0.25}, "too little to bring atoms from anywhere"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused_in_words(
    changed: dict[str, object], words: str
) -> None:
    spec = {
        "name": "crystals",
        "space": {"elements": ["Ni", "Fe"], "atoms": 16},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "model": {"kind": "pcdvae"} | changed,
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    }
    with pytest.raises(SpecError, match=words):
        parse_spec(spec, where="crystals")
