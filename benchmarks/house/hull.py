"""How long the energies above a hull take, from formulas and formation energies."""

import time

import numpy as np

from alloop.loop.state.hull import Phase, hull_of

THIRTY = (
    *("Fe", "Ni", "Cr", "Co", "Al", "Ti", "Cu", "Mo", "V", "Nb", "Mn", "Zr", "Ta", "W", "Hf"),
    *("Si", "Rh", "Ru", "Re", "Os", "Pt", "Pd", "Ir", "Mg", "Ag", "Zn", "Sn", "Au", "Li", "Sc"),
)
"""The elements of hea-single-phase."""

REPEATS = 3
SEED = 7
MEAN, SPREAD = -0.2, 0.2
"""Mean and standard deviation of the formation energies, eV/atom, as of intermetallics: six in
seven of them negative."""


def figures() -> dict[str, float]:
    """Return seconds: of a thousand materials of two to five of thirty elements; the worst case,
    where each has all thirty; and a long campaign over three elements.
    """
    return {
        "hull_seconds_30_elements": seconds(1_000, THIRTY, fewest=2, most=5),
        "hull_seconds_30_elements_in_each": seconds(1_000, THIRTY, fewest=30, most=30),
        "hull_seconds_3_elements_10000_materials": seconds(10_000, THIRTY[:3], fewest=2, most=3),
    }


def seconds(n: int, elements: tuple[str, ...], *, fewest: int, most: int) -> float:
    """Return the seconds of the quickest of a few times."""
    phases = random_phases(n, elements, fewest=fewest, most=most)
    found = []
    for _ in range(REPEATS):
        hull_of.cache_clear()
        began = time.perf_counter()
        above = hull_of(elements, phases).energies_above
        found.append(time.perf_counter() - began)
        if len(above) != n:
            raise RuntimeError(f"{len(above)} energies of {n} materials")
    return min(found)


def random_phases(
    n: int, elements: tuple[str, ...], *, fewest: int, most: int
) -> tuple[Phase, ...]:
    """Return materials of some of the elements, in whole percent where they are few."""
    rng = np.random.default_rng(SEED)
    phases = []
    for i in range(n):
        chosen = rng.choice(elements, int(rng.integers(fewest, most + 1)), replace=False)
        counts = 1 + rng.multinomial(100, rng.dirichlet(np.ones(len(chosen))))
        formula = "".join(f"{el}{count}" for el, count in zip(chosen, counts, strict=True))
        phases.append(Phase(formula, float(rng.normal(MEAN, SPREAD)), f"{i}"))
    return tuple(phases)
