"""Energies above the hull, for lines and triangles that can be computed in one's head."""

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from alloop.loop.state.hull import Hull, Phase, hull_of


def hull(*measured: tuple[str, float], elements: tuple[str, ...] = ("Ni", "Fe", "Cr")) -> Hull:
    phases = tuple(Phase(formula, e, f"{i}:{formula}") for i, (formula, e) in enumerate(measured))
    return hull_of(elements, phases)


def above(found: Hull) -> list[float]:
    return list(found.energies_above.values())


def test_on_a_line_between_compound_and_elements() -> None:
    found = hull(("NiFe", -0.10), ("Ni3Fe", -0.02), ("NiFe3", 0.04), elements=("Ni", "Fe"))
    assert above(found) == pytest.approx([0.0, 0.03, 0.09])
    assert [phase.formula for phase in found.stable_phases] == ["NiFe", "Ni", "Fe"]
    assert {(a.formula, b.formula) for a, b in found.tie_lines} == {("NiFe", "Ni"), ("NiFe", "Fe")}


def test_in_a_triangle() -> None:
    # Halfway from the binary compound to chromium the hull lies at half its energy.
    found = hull(("NiFe", -0.10), ("NiFeCr2", 0.01))
    assert above(found) == pytest.approx([0.0, 0.06])
    parts = [(phase.formula, share) for phase, share in found.decomposition("NiFeCr2")]
    assert parts == [("Cr", pytest.approx(0.5)), ("NiFe", pytest.approx(0.5))]


def test_the_elements_are_at_zero_unless_one_was_measured_lower() -> None:
    assert above(hull(("Ni", 0.16), elements=("Ni",))) == pytest.approx([0.16])
    assert above(hull(("Ni", -0.02), ("NiFe", 0.0))) == pytest.approx([0.0, 0.01])
    # In a reference crystal nothing lies below the element itself.
    assert [phase.candidate for phase in hull(("Ni", 0.16), elements=("Ni",)).stable_phases] == [
        None
    ]


def test_where_nothing_is_stable_the_elements_are_the_hull() -> None:
    found = hull(("NiFe", 0.05), ("NiFeCr", 0.02))
    assert above(found) == pytest.approx([0.05, 0.02])
    assert {phase.formula for phase in found.stable_phases} == {"Ni", "Fe", "Cr"}


def test_it_agrees_with_pymatgen_s_decomposition() -> None:
    rng = np.random.default_rng(5)
    measured = []
    for _ in range(150):
        counts = rng.multinomial(54, rng.dirichlet([1.0] * 4))
        formula = "".join(
            f"{el}{n}" for el, n in zip(("Ni", "Fe", "Cr", "Al"), counts, strict=True) if n
        )
        measured.append((formula, float(rng.normal(-0.02, 0.05))))
    entries = [PDEntry(Composition(f).fractional_composition, e) for f, e in measured]
    elements = [PDEntry(Composition(el), 0.0) for el in ("Ni", "Fe", "Cr", "Al")]
    diagram = PhaseDiagram([*entries, *elements])
    expected = [diagram.get_e_above_hull(entry) for entry in entries]
    assert above(hull(*measured)) == pytest.approx(expected, abs=1e-9)


def test_orderings_of_one_composition_are_compared_with_the_lowest() -> None:
    found = hull(("Ni27Fe27", -0.04), ("Ni27Fe27", -0.05), ("Ni8Fe8", -0.01))
    assert above(found) == pytest.approx([0.01, 0.0, 0.04])
    assert found.stable_phases[0].candidate == "1:Ni27Fe27"
