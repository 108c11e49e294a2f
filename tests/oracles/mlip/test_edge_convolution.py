"""SevenNet's products over edges, held against e3nn's and sevenn's own."""

import pytest
import torch
from ase import Atoms
from e3nn.o3 import Irreps, TensorProduct

from alloop.oracles.mlip.potentials.edge_convolution import EdgeProduct
from alloop.oracles.mlip.potentials.sevennet import SEVENNET_0, sevennet_calculator


def uvu_product(features: str, harmonics: str, largest: int) -> TensorProduct:
    """Every path of features with harmonics to components of degree up to ``largest``, sorted by
    their results as SevenNet sorts them."""
    first, second = Irreps(features), Irreps(harmonics)
    made = [
        (i, j, mul, result)
        for i, (mul, one) in enumerate(first)
        for j, (_, other) in enumerate(second)
        for result in one * other
        if result.l <= largest
    ]
    results, places, _ = Irreps([(mul, result) for *_, mul, result in made]).sort()
    paths = [(i, j, places[k], "uvu", True) for k, (i, j, *_) in enumerate(made)]
    return TensorProduct(
        first,
        second,
        results,
        sorted(paths, key=lambda path: path[2]),
        shared_weights=False,
        internal_weights=False,
    )


def components_first(values: torch.Tensor, irreps: Irreps) -> torch.Tensor:
    blocks = [
        part.view(len(values), each.mul, each.ir.dim).transpose(1, 2).flatten(1)
        for part, each in zip(values.split([e.dim for e in irreps], 1), irreps, strict=True)
    ]
    return torch.cat(blocks, 1)


@pytest.mark.parametrize(
    ("features", "harmonics"),
    [("5x0e", "1x0e+1x1e"), ("4x0e+3x1e+2x2e", "1x0e+1x1e+1x2e"), ("3x0e+2x1o+1x3o", "1x0e+1x1o")],
)
def test_products_and_their_slopes_are_those_of_e3nn(features, harmonics):
    theirs = uvu_product(features, harmonics, largest=3)
    ours = EdgeProduct(theirs)
    torch.manual_seed(1)
    inputs = [
        torch.randn(7, size, requires_grad=True)
        for size in (theirs.irreps_in1.dim, theirs.irreps_in2.dim, theirs.weight_numel)
    ]
    expected = components_first(theirs(*inputs), theirs.irreps_out)
    found = ours(components_first(inputs[0], theirs.irreps_in1), *inputs[1:])
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    slopes = torch.autograd.grad((weights * found).sum(), inputs)
    torch.testing.assert_close(slopes, torch.autograd.grad((weights * expected).sum(), inputs))


def test_an_atom_without_neighbours_has_an_energy(their_sevennet):
    weights = SEVENNET_0.weights_file()
    assert weights is not None
    energies = []
    for calculator in (sevennet_calculator(weights[0]), their_sevennet):
        alone = Atoms("Ni", cell=[20.0] * 3, pbc=True, calculator=calculator)
        energies.append(alone.get_potential_energy())
    assert energies[0] == pytest.approx(energies[1], abs=1e-5)
