"""CHGNet's energies, forces, stresses and moments, held against its own package's."""

import numpy as np
import pytest
from chgnet.model import CHGNet
from chgnet.model.dynamics import CHGNetCalculator

from alloop.oracles.mlip.potentials.chgnet import CHGNET, chgnet_calculator


def test_everything_that_chgnet_predicts_is_that_of_its_own_package(feni3):
    weights = CHGNET.weights_file()
    assert weights is not None
    shaken = feni3.copy().perturb(0.1, seed=1)
    ours = shaken.to_ase_atoms()
    theirs = ours.copy()
    ours.calc = chgnet_calculator(weights[0])
    theirs.calc = CHGNetCalculator(CHGNet.load(verbose=False), use_device="cpu")
    assert ours.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), abs=1e-5)
    np.testing.assert_allclose(ours.get_forces(), theirs.get_forces(), atol=1e-4)
    np.testing.assert_allclose(ours.get_stress(), theirs.get_stress(), atol=1e-6)
    np.testing.assert_allclose(
        ours.get_magnetic_moments(), theirs.get_magnetic_moments(), atol=1e-5
    )
    # Several crystals at once, as `predict_structure` takes them.
    both = ours.calc.model.predict_structure([shaken, feni3], task="efs")
    alone = theirs.calc.model.predict_structure(feni3, task="efs")
    np.testing.assert_allclose(both[0]["f"], theirs.get_forces(), atol=1e-4)
    np.testing.assert_allclose(both[1]["s"], alone["s"], atol=1e-3)
