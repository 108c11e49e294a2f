"""Surrogates over one number, and the utility of the tests' spec."""

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Composition

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.choose.search.evidence import Surrogates, fit_surrogates
from alloop.loop.state.ranking.utility import Utility
from alloop.materials import Material

NAMES = ("bulk_modulus", "formation_energy_per_atom")


class Amounts:
    """Amount of nickel, between 0 and 1, as the only descriptor."""

    name = "amounts"
    rows_per_round = 1000
    group_sizes = None

    def of_codes(self, codes: np.ndarray) -> np.ndarray:
        return codes / 1000

    def of_materials(self, materials: Sequence[Material]) -> np.ndarray:
        return np.array([[float(Composition(m)["Ni"])] for m in materials])


def spec_of(**changes: object) -> CampaignSpec:
    data = {
        "name": "test",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    }
    return parse_spec(data | changes, where="test")


def utility(**changes: object) -> Utility:
    return Utility.of(spec_of(**changes), [])


def grid(n: int = 21) -> np.ndarray:
    return np.linspace(0, 1, n)[:, None]


def labelled(x: np.ndarray) -> np.ndarray:
    """A modulus with its peak at 0.7, and a formation energy that grows from 0 to 0.2."""
    return np.hstack([180 - 40 * (x - 0.7) ** 2, 0.2 * x])


def surrogates_on(x: np.ndarray, y: np.ndarray, *, scale: float = 1.0) -> Surrogates:
    materials = [Composition({"Ni": float(v), "Fe": 1 - float(v)}) for v in x[:, 0]]
    names = NAMES[: y.shape[1]]
    return fit_surrogates([Amounts()], materials, y, names, [scale] * len(names))
