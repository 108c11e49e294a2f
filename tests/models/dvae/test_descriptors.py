"""The eight descriptors of the DVAE paper have the values that the literature gives."""

import math

import pytest
import torch

from alloop.errors import MaterialError
from alloop.models.dvae.descriptors import EIGHT, EightDescriptors

CANTOR = ("Co", "Cr", "Fe", "Mn", "Ni")


def described(elements: tuple[str, ...], *fractions: float) -> dict[str, float]:
    """Return the descriptors of one alloy, by name."""
    values = EightDescriptors(elements)(
        torch.tensor([fractions or [1 / len(elements)] * len(elements)])
    )
    return dict(zip(EIGHT, values[0].tolist(), strict=True))


def test_equimolar_alloys_have_the_published_values() -> None:
    # Valence electrons and mixing enthalpies: S. Guo and C. T. Liu, Prog. Nat. Sci. 21 (2011) 433.
    four = described(("Co", "Cr", "Fe", "Ni"))
    assert four["valence_electron_concentration"] == pytest.approx(8.25)
    assert four["mixing_enthalpy"] == pytest.approx(-3.75)
    assert described(CANTOR)["valence_electron_concentration"] == pytest.approx(8.0)
    assert described(CANTOR)["mixing_enthalpy"] == pytest.approx(-4.16)
    assert described(CANTOR)["mixing_entropy"] == pytest.approx(8.314463 * math.log(5))


def test_a_pure_element_has_its_own_values_and_no_mixing() -> None:
    nickel = described(("Ni", "Al"), 1.0, 0.0)
    assert nickel["melting_temperature"] == pytest.approx(1728, abs=1)  # CRC Handbook
    assert nickel["molar_volume"] == pytest.approx(6.59, abs=0.01)
    for name in EIGHT[4:]:
        assert nickel[name] == pytest.approx(0.0, abs=1e-4)


def test_the_order_of_the_elements_does_not_matter() -> None:
    one = described(("Ni", "Al", "Ti"), 0.5, 0.3, 0.2)
    other = described(("Ti", "Ni", "Al"), 0.2, 0.5, 0.3)
    assert one == pytest.approx(other, rel=1e-5)


def test_slopes_are_finite_everywhere_and_right_inside() -> None:
    describe = EightDescriptors(CANTOR).double()
    inside = torch.tensor([[0.3, 0.25, 0.2, 0.15, 0.1]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(describe, (inside,), eps=1e-6, atol=1e-4)
    corner = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(describe(corner).sum(), corner)
    assert slope.isfinite().all()


def test_an_element_without_data_is_refused_by_name() -> None:
    with pytest.raises(MaterialError, match="Og"):
        EightDescriptors(("Ni", "Og"))
