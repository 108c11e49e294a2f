"""What may not be measured is turned away, with the rule, the margin and the reason."""

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from alloop.loop.choose.screening import SCREENING_RULES, Seen, lattice_of, screen
from alloop.models.lattice.parent import ParentLattice
from alloop.space import Compositions, Decorations

SPACE = Decorations(
    elements=("Ni", "Fe"), fractions={"Ni": (0.25, 0.5)}, atoms=16, min_distance=2.0
)
FCC = ParentLattice.of_size("fcc", 16)


def decorated(n_nickel: int, seed: int = 0) -> Structure:
    species = ["Ni"] * n_nickel + ["Fe"] * (16 - n_nickel)
    return FCC.structure([str(s) for s in np.random.default_rng(seed).permutation(species)])


def test_what_fits_the_space_and_is_new_passes() -> None:
    assert screen(decorated(4), SPACE, Seen()) is None
    assert screen(decorated(8), SPACE, Seen()) is None


@pytest.mark.parametrize(
    ("material", "rule", "margin"),
    [
        (Composition("Ni2Cr2Fe4"), "elements", -1),
        (decorated(2), "fractions", 2 / 16 - 0.25),
        (decorated(12), "fractions", 0.5 - 12 / 16),
        (Composition({"Ni": 0.6, "Fe": 0.4}), "fractions", -0.1),
        (
            Structure(Lattice.cubic(5), ["Ni", "Fe", "Fe"], [[0, 0, 0], [0.3, 0, 0], [0.5] * 3]),
            "min_distance",
            1.5 - 2.0,
        ),
    ],
)
def test_each_rule_names_itself_and_its_margin(
    material: Structure | Composition, rule: str, margin: float
) -> None:
    rejection = screen(material, SPACE, Seen())
    assert rejection is not None
    assert rejection.rule == rule
    assert rule in SCREENING_RULES
    assert rejection.margin == pytest.approx(margin, abs=1e-9)


def test_a_symmetric_image_is_a_duplicate_and_another_ordering_is_not() -> None:
    seen, original = Seen(), decorated(6)
    seen.add("a" * 64, original)
    species = np.array([site.specie.symbol for site in original])
    for permutation in FCC.symmetries[:: len(FCC.symmetries) // 7]:
        rejection = screen(FCC.structure(species[permutation].tolist()), SPACE, seen)
        assert rejection is not None
        assert rejection.rule == "duplicate"
        assert "aaaaaaaaaa" in rejection.reason
    assert screen(decorated(6, seed=1), SPACE, seen) is None


def test_the_same_atoms_on_another_lattice_are_no_duplicate() -> None:
    seen = Seen()
    species = [site.specie.symbol for site in decorated(6)]
    seen.add("a" * 64, FCC.structure(species))
    bcc = ParentLattice.of_size("bcc", 16).structure(species)
    assert screen(bcc, SPACE, seen) is None
    assert (lattice_of(bcc), lattice_of(decorated(6))) == ("bcc", "fcc")


def test_a_parent_s_cell_with_atoms_anywhere_decorates_no_parent() -> None:
    strewn = decorated(6)
    places = np.random.default_rng(0).random((16, 3))
    strewn = Structure(strewn.lattice, [site.specie for site in strewn], places)
    assert lattice_of(strewn) is None


def test_structures_off_the_parents_are_compared_by_matching() -> None:
    space = Decorations(elements=("Na", "Cl"))
    seen = Seen()
    salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )
    seen.add("b" * 64, salt)
    shifted = salt.copy()
    shifted.translate_sites(range(len(shifted)), [0.1, 0.2, 0.3])
    rejection = screen(shifted, space, seen)
    assert rejection is not None
    assert rejection.rule == "duplicate"
    cscl = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.1), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )
    assert screen(cscl, space, seen) is None
    assert lattice_of(salt) is None


def test_compositions_are_equal_within_a_tolerance() -> None:
    seen = Seen()
    seen.add("c" * 64, Composition({"Ni": 0.3, "Fe": 0.7}))
    assert screen(Composition({"Ni": 0.3 + 1e-8, "Fe": 0.7 - 1e-8}), SPACE, seen) is not None
    assert screen(Composition({"Ni": 0.301, "Fe": 0.699}), SPACE, seen) is None


def test_alloys_within_the_resolution_are_not_both_measured() -> None:
    space = Compositions(kind="compositions", elements=("Ni", "Fe"), resolution=0.02)
    seen = Seen()
    seen.add("a" * 64, Composition("Ni0.5Fe0.5"))
    rejection = screen(Composition("Ni0.51Fe0.49"), space, seen)
    assert rejection is not None
    assert rejection.rule == "resolution"
    assert rejection.margin == pytest.approx(0.01 - 0.02)
    assert screen(Composition("Ni0.53Fe0.47"), space, seen) is None
    assert (
        screen(Composition("Ni0.51Fe0.49"), space.model_copy(update={"resolution": 0}), seen)
        is None
    )


def test_an_overlay_knows_more_and_what_lies_below_stays_as_it_is() -> None:
    below = Seen()
    below.add("a" * 64, Composition("Ni0.5Fe0.5"))
    above = below.overlay()
    above.add("b" * 64, Composition("Ni0.3Fe0.7"))
    assert above.equivalent(Composition("NiFe")) == "a" * 64
    assert above.equivalent(Composition("Ni0.3Fe0.7")) == "b" * 64
    assert below.equivalent(Composition("Ni0.3Fe0.7")) is None
    near = Composition("Ni0.31Fe0.69")
    assert above.nearest(near) == ("b" * 64, pytest.approx(0.01))
    assert below.nearest(near) == ("a" * 64, pytest.approx(0.19))
