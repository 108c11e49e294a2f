"""Rows of a training: crystals at rest for the decoder, as proposed too for the encoder."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from alloop.models.base import Dataset
from alloop.models.pcdvae.rows import CrystalRows
from alloop.models.pcdvae.vocabulary import Vocabulary

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
