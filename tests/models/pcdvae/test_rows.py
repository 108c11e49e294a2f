"""Rows of a training: crystals at rest for the decoder, as proposed too for the encoder."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from alloop.models.base import Dataset
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.rows import CrystalRows
from alloop.models.pcdvae.vocabulary import Vocabulary

SIZES = PcdvaeOptions(
    phase=False,
    latent=4,
    encoder_width=8,
    encoder_blocks=1,
    decoder_width=8,
    decoder_blocks=1,
    head_width=8,
    neighbours=12,
    epochs=2,
    batch_size=2,
    langevin_steps=1,
    device="cpu",
)
VOCABULARY = Vocabulary.of(("Cr", "Fe", "Ni"), (2, 16), ("fcc", "bcc"), {})


def rows_of(material: Structure, relaxed: Structure | None) -> CrystalRows:
    data = Dataset(
        (material,), ("bulk_modulus",), np.array([[180.0]]), np.array([False]), (relaxed,)
    )
    return CrystalRows.of(VOCABULARY, data, k=12, cutoff=7.0)


def test_the_decoder_s_target_is_at_rest_and_the_encoder_sees_either(
    decorated: Callable[..., Structure],
) -> None:
    proposed, relaxed = decorated(shake=0.0), decorated(shake=0.1)
    relaxed.scale_lattice(1.1 * relaxed.volume)
    rows = rows_of(proposed, relaxed)
    batches = [
        rows.batch(np.array([0]), torch.device("cpu"), as_proposed=np.array([raw]))
        for raw in (False, True)
    ]
    for batch in batches:
        assert np.linalg.det(batch.cells[0]) == pytest.approx(relaxed.volume)
        assert np.allclose(batch.positions, relaxed.cart_coords)
        numbers = torch.tensor([("Cr", "Fe", "Ni").index(str(s.specie)) for s in relaxed])
        assert torch.equal(batch.species, numbers)
    shortest = [float(batch.graph.distance.min()) for batch in batches]
    ideal = proposed.lattice.a / 2  # of the two-atom cell of fcc, repeated twice
    assert shortest[1] == pytest.approx(ideal, abs=1e-5)
    assert shortest[0] < 0.99 * ideal


@pytest.mark.parametrize("fault", ["other atoms", "overlapping atoms", "nothing relaxed it"])
def test_what_cannot_be_a_target_leaves_the_crystal_as_proposed(
    fault: str, decorated: Callable[..., Structure]
) -> None:
    proposed = decorated(shake=0.0)
    relaxed = {
        "other atoms": Structure(Lattice.cubic(2.9), ["Ni", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        "overlapping atoms": Structure(proposed.lattice, proposed.species, np.zeros((16, 3))),
        "nothing relaxed it": None,
    }[fault]
    rows = rows_of(proposed, relaxed)
    assert rows.proposed == (None,)
    assert not rows.are_proposed
    assert np.allclose(rows.crystals[0].positions, proposed.cart_coords)


def test_cells_of_several_sizes_are_learnt_those_of_one_atom_among_them() -> None:
    """Elements come as primitive cells; a supercell is the same crystal."""
    nickel = Structure(Lattice.from_parameters(2.49, 2.49, 2.49, 60, 60, 60), ["Ni"], [[0, 0, 0]])
    iron = Structure(Lattice.cubic(2.87), ["Fe"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    l12 = Structure(
        Lattice.cubic(3.55),
        ["Fe", "Ni", "Ni", "Ni"],
        [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    )
    model = PcdvaeModel(SIZES, ("Fe", "Ni"), range(2, 9), (), {}, ("bulk_modulus",))
    labels = np.array([[186.0], [170.0], [np.nan]])
    data = Dataset((nickel, iron, l12), ("bulk_modulus",), labels, np.zeros(3, dtype=bool))
    model.fit(data, seed=0)
    z = model.encode([nickel, nickel * (2, 2, 1), iron])
    assert torch.allclose(z[0], z[1], atol=1e-5)
    assert not torch.allclose(z[0], z[2], atol=1e-3)
    assert all(2 <= len(one) <= 8 for one in model.decode(z, seed=0))
