from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.stats import binomtest

from alloop.errors import ModelError
from alloop.models.base import Dataset
from alloop.models.ftcp.inverse_design.design import (
    DesignOptions,
    TargetOutsideTraining,
    Window,
    design,
)
from alloop.models.ftcp.inverse_design.dissimilarity import DIFFERENT, dissimilarities, fingerprints
from alloop.models.ftcp.inverse_design.report import (
    DesignOutcome,
    evaluate_designs,
    report_on,
)
from alloop.models.ftcp.inverse_design.screening import ScreenRules
from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions
from alloop.models.metrics.rates import Rate

NAME = "formation_energy_per_atom"
LOOSE = ScreenRules(needs_charge_balance=False)


def made_up(structure: Structure) -> float:
    """A property that any crystal has: how heavy and how wide it is."""
    return float(np.mean(structure.atomic_numbers)) / 10 + structure.volume / 100


A = ("K", "Rb", "Cs", "Ca", "Sr", "Ba", "Y", "La", "Ce", "Nd", "Pb", "Bi")
B = ("Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Zr", "Nb", "Mo", "Hf", "Ta")


@pytest.fixture(scope="module")
def data(perovskite):
    """60 of the 144 oxides that can be made of the elements above."""
    rng = np.random.default_rng(8)
    pairs = [(a, b) for a in A for b in B]
    cells = tuple(
        perovskite(*pairs[i], length=float(rng.uniform(3.7, 4.3)))
        for i in rng.permutation(len(pairs))[:60]
    )
    labels = np.array([[made_up(cell)] for cell in cells])
    return Dataset(cells, (NAME,), labels, np.zeros(len(cells), dtype=bool))


@pytest.fixture(scope="module")
def model(data):
    network = DirectNetwork(width=48, depth=1, embedding=16, steps=400, batch_size=16)
    model = FtcpModel(FtcpOptions(network=network, latents=24, heads=3), (NAME,))
    model.fit(data, seed=0)
    return model


@pytest.fixture(scope="module")
def window(data):
    low, high = np.quantile(data.labels, [0.7, 0.9])
    return Window(NAME, float(low), float(high))


def test_designs_hit_more_often_than_chance(model, data, window):
    designs = design(model, data, [window], DesignOptions(n=10, scale=0.8, rules=LOOSE), seed=0)
    assert len(designs.kept) == 10
    chances = [one.probability for one in designs.kept]
    assert chances == sorted(chances, reverse=True)

    def measure(structure):
        return DesignOutcome(structure, {NAME: made_up(structure)})

    outcomes = evaluate_designs(designs, measure)
    report = report_on(designs, outcomes, [window], data, fingerprints(data.materials[:3]))
    assert report.validity.hits == 10
    assert report.random.value == pytest.approx(0.2, abs=0.05)
    assert report.success.value > report.random.value
    assert report.improvement == pytest.approx(report.success.value / report.random.value - 1)
    assert report.improvement_interval[0] < report.improvement < report.improvement_interval[1]
    assert report.median_dissimilarity >= 0
    assert "improvement over random" in str(report)


def test_the_same_seed_designs_the_same(model, data, window):
    how = DesignOptions(n=4, pool=1, rules=LOOSE)
    once, again, other = (
        [one.structure for one in design(model, data, [window], how, seed=seed).kept]
        for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other


def test_nothing_known_is_designed(model, data, window):
    how = DesignOptions(n=6, scale=0.8, rules=replace(LOOSE, new_composition=True))
    designs = design(model, data, [window], how, seed=0)
    known = {cell.composition.reduced_formula for cell in data.materials}
    assert not known & {one.structure.composition.reduced_formula for one in designs.kept}
    assert any(rejection.rule == "known" for rejection in designs.rejections)


def test_only_the_likeliest_of_a_formula_is_kept_if_asked(model, data, window):
    how = DesignOptions(n=8, scale=0.8, one_per_formula=True, rules=LOOSE)
    designs = design(model, data, [window], how, seed=0)
    formulas = [one.structure.composition.reduced_formula for one in designs.kept]
    assert len(set(formulas)) == len(formulas) > 1
    all_found = replace(how, n=how.n * how.pool, pool=1, one_per_formula=False)
    every = design(model, data, [window], all_found, seed=0)
    of_first = [
        one.probability
        for one in every.kept
        if one.structure.composition.reduced_formula == formulas[0]
    ]
    assert designs.kept[0].probability >= max(of_first) - 1e-6


def test_a_window_that_no_label_meets_is_warned_of_with_the_range(model, data):
    low, high = data.labels.min(), data.labels.max()
    far = Window.around(NAME, high + 5, 0.1)
    with pytest.warns(TargetOutsideTraining, match=f"{low:g} to {high:g}"):
        designs = design(model, data, [far], DesignOptions(n=2, pool=1, rules=LOOSE), seed=0)
    nearest = data.labels[[one.parent for one in designs.kept], 0]
    assert (nearest >= np.sort(data.labels[:, 0])[-32]).all()


def test_unknown_properties_are_refused(model, data):
    with pytest.raises(ModelError, match="model has no property band_gap"):
        design(model, data, [Window("band_gap", 1, 2)], DesignOptions(), seed=0)
    blank = replace(data, labels=np.full_like(data.labels, np.nan))
    with pytest.raises(ModelError, match="no crystal is labelled"):
        design(model, blank, [Window(NAME, 1, 2)], DesignOptions(), seed=0)


def test_failed_and_repeated_relaxations_are_invalid(model, data, window, perovskite):
    designs = design(model, data, [window], DesignOptions(n=4, pool=1, rules=LOOSE), seed=0)
    inside = {NAME: (window.low + window.high) / 2}
    outcomes = [
        DesignOutcome(perovskite(), inside),
        DesignOutcome(perovskite(length=4.0), inside),  # relaxed to the same
        DesignOutcome(None, {}, "did not converge"),
        DesignOutcome(perovskite("Ba"), {NAME: window.high + 1}),
    ]
    report = report_on(designs, outcomes, [window], data, fingerprints([]))
    assert report.is_valid == (True, False, False, True)
    assert report.is_hit == (True, False, False, False)
    assert (report.success.hits, report.success.trials) == (1, 4)
    assert np.isnan(report.median_dissimilarity)


def test_no_random_hit_leaves_the_improvement_open(model, data, window, perovskite):
    designs = design(model, data, [window], DesignOptions(n=1, pool=1, rules=LOOSE), seed=0)
    far = Window(NAME, 1000.0, 1001.0)
    report = report_on(
        designs, [DesignOutcome(perovskite(), {NAME: 1000.5})], [far], data, fingerprints([])
    )
    assert np.isnan(report.improvement)
    assert report.success.value == 1


def test_intervals_are_wilsons():
    for hits, trials in ((0, 20), (7, 18), (20, 20)):
        rate = Rate.of(hits, trials)
        wilson = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
        assert rate.low == pytest.approx(wilson.low, abs=1e-6)
        assert rate.high == pytest.approx(wilson.high, abs=1e-6)


def test_the_papers_case_1():
    # 7 of 18 designs for −0.5 eV/atom; improvement over random 270 % (the paper's Table 1)
    assert Rate.of(7, 18).value == pytest.approx(0.389, abs=5e-4)


def test_dissimilarity_sees_structure_and_not_elements():
    rock_salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    other_elements = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    blende = Structure.from_spacegroup(
        "F-43m", Lattice.cubic(5.65), ["Ga", "As"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )
    same, different = dissimilarities([other_elements, blende], fingerprints([rock_salt]))
    assert same == pytest.approx(0.0, abs=1e-6)
    assert different > DIFFERENT
    assert np.isnan(dissimilarities([blende], fingerprints([]))).all()
