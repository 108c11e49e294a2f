"""Magpie's statistics on tensors are matminer's own."""

import numpy as np
import pytest
import torch
from matminer.featurizers.composition import ElementProperty
from pymatgen.core import Composition

from alloop.errors import MaterialError
from alloop.models.dvae.magpie_descriptors import MagpieDescriptors, RichAndMagpie

ELEMENTS = ("Fe", "Ni", "Cr", "Al", "Ti", "Sc")


def test_the_statistics_are_those_of_matminer() -> None:
    formulas = ("FeNi", "Cr", "Al3Ti", "FeNiCrAl0.5", "Sc2Fe2Ni", "AlCrFeNiScTi", "Ni0.9Al0.1")
    alloys = [Composition(formula) for formula in formulas]
    featurizer = ElementProperty.from_preset("magpie", impute_nan=False)
    expected = np.array([featurizer.featurize(alloy) for alloy in alloys])
    fractions = [[alloy.get_atomic_fraction(s) for s in ELEMENTS] for alloy in alloys]
    describe = MagpieDescriptors(ELEMENTS)
    np.testing.assert_allclose(describe(torch.tensor(fractions)), expected, rtol=1e-4, atol=1e-3)
    labels = [f"MagpieData {name}" for name in describe.names]
    assert labels == featurizer.feature_labels()


def test_who_sees_what_is_told_by_name() -> None:
    describe = RichAndMagpie(ELEMENTS)
    names, views = describe.names, describe.views
    assert "maximum MendeleevNumber" not in [names[i] for i in views.networks]
    assert views.forests is not None
    forests = [names[i] for i in views.forests]
    assert "maximum MendeleevNumber" in forests
    assert "mixing_enthalpy" in forests
    assert "fraction_Fe" not in forests
    assert describe(torch.eye(len(ELEMENTS))).shape == (len(ELEMENTS), len(names))
    assert views.boosted[-1] == tuple(range(len(names)))


def test_an_element_that_magpie_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(MaterialError, match="is known for Og"):
        MagpieDescriptors(("Ni", "Og"))
