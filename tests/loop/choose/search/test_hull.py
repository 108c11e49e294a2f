"""Energies above the hull: predicted by way of formation energies."""

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.canonical import sha256
from alloop.loop.choose.moves.compositions import CompositionMoves
from alloop.loop.choose.search.descriptors import Fractions
from alloop.loop.choose.search.evidence import Surrogates, fit_surrogates
from alloop.loop.choose.search.hull import HullEnergies
from alloop.loop.choose.search.recalibration import interval_scale
from alloop.loop.record.events import Posterior, Stage
from alloop.loop.state.calibration import latest_calibration, predicted_names
from alloop.loop.state.hull import Phase, hull_of
from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY
from alloop.space import Compositions
from tests.loop.choose.search.toy import Amounts
from tests.loop.ledger import decision, measured, opened, proposed, state_after

SPACE = Compositions(kind="compositions", elements=("Fe", "Ni"))
SPEC = {
    "name": "stable",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "energy_above_hull", "goal": "minimise"}],
    "budget": {"initial": 2, "rounds": 2, "measurements": [10]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}
HULL = hull_of(("Fe", "Ni"), (Phase("NiFe", -0.4, "b" * 64), Phase("Ni3Fe", -0.1, "c" * 64)))


def energies() -> HullEnergies:
    return HullEnergies(HULL, SPACE.elements, Fractions(SPACE.elements, CompositionMoves(SPACE)))


def fitted() -> Surrogates:
    """Surrogates of phases whose formation energy is −0.5 sin(πx) but at x = 0.75, where only a
    phase far above the hull was measured."""
    x = np.array([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.85, 0.95])
    materials = [Composition({"Ni": v, "Fe": 1 - v}) for v in x]
    above = -0.5 * np.sin(np.pi * x) - energies().of_materials(materials)[:, 0]
    return fit_surrogates(
        [Amounts()], materials, above[:, None], (ENERGY_ABOVE_HULL,), [1.0], energies()
    )


def test_the_hull_of_two_elements_is_a_line_between_phases() -> None:
    found = energies().of_materials([Composition(f) for f in ("Fe", "Fe3Ni", "FeNi", "FeNi3")])
    assert found.ravel() == pytest.approx([0.0, -0.2, -0.4, -0.2])


def test_codes_have_the_energies_of_their_materials() -> None:
    moves = CompositionMoves(SPACE)
    codes = moves.draw(20, np.random.default_rng(0))
    assert energies().of_codes(codes) == pytest.approx(
        energies().of_materials(moves.decode(codes)), abs=1e-9
    )


def test_a_phase_may_be_expected_below_the_hull() -> None:
    surrogates, material = fitted(), Composition({"Ni": 0.75, "Fe": 0.25})
    features = surrogates.of_materials([material])
    expected = -0.5 * np.sin(0.75 * np.pi)
    assert surrogates.predict(features).mean[0, 0] == pytest.approx(expected + 0.2, abs=0.02)
    posterior = surrogates.posteriors(features)[0]
    assert posterior[FORMATION_ENERGY].mean == pytest.approx(expected, abs=0.02)
    assert posterior[FORMATION_ENERGY].std == posterior[ENERGY_ABOVE_HULL].std
    joint, _ = surrogates.chosen[0].surrogate.joint(features[:, surrogates.columns[0]])
    assert joint[0] == pytest.approx(expected + 0.2, abs=0.02)


def test_predictions_are_held_against_the_formation_energy() -> None:
    """NiFe₃ was expected 0.1 below the hull of its round, and came; the hull moved with it."""
    foreseen = {
        ENERGY_ABOVE_HULL: Posterior(mean=-0.1, std=0.05),
        FORMATION_ENERGY: Posterior(mean=-0.3, std=0.05),
    }
    first, later = Stage.INITIAL, Stage.ACQUISITION
    energies = [{FORMATION_ENERGY: energy} for energy in (-0.4, -0.3)]
    state = state_after(
        [
            opened(SPEC, ("f",)),
            proposed(0, first, [decision("NiFe")]),
            measured(0, first, sha256("NiFe"), energies[0], fingerprint="f"),
            proposed(2, later, [decision("NiFe3", posterior=foreseen)]),
            measured(2, later, sha256("NiFe3"), energies[1], fingerprint="f"),
        ]
    )
    assert [m.properties[ENERGY_ABOVE_HULL] for m in state.answers()] == [0.0, 0.0]
    assert predicted_names(state) == (FORMATION_ENERGY,)
    found = latest_calibration(state, FORMATION_ENERGY)
    assert found is not None
    assert found.bias == pytest.approx(0.0)
    assert interval_scale(state, ENERGY_ABOVE_HULL) < 1.0  # a prediction that came true
