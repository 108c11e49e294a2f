"""How much the prediction changes with another description of the same crystal (section S5)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pymatgen.core import Structure
from pymatgen.core.operations import SymmOp
from scipy.spatial.transform import Rotation

from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions
from alloop.models.ftcp.representation.crystals import Size
from benchmarks.ftcp.data import Split
from benchmarks.ftcp.reconstruction import structures_of

N_CRYSTALS = 300
"""Held-out crystals that are described anew."""


def invariance(rows: Split) -> dict[str, float]:
    """Return mean absolute changes of the predicted property, in its unit, by description, for
    models trained without and with augmentation; and their errors on the crystals as given.

    The models have room for twice the sites, so that doubled cells fit.
    """
    cells = structures_of(rows.held_out)[:N_CRYSTALS]
    labels = rows.held_out.labels[:N_CRYSTALS, 0]
    size = Size.of(rows.training.materials)
    figures: dict[str, float] = {}
    for augmentation in ("none", "symmetry"):
        model = FtcpModel(
            FtcpOptions(network=DirectNetwork(), augmentation=augmentation),
            rows.training.property_names,
            size=replace(size, sites=2 * size.sites),
        )
        model.fit(rows.training, seed=0)
        given = _predicted(model, cells)
        name = "plain" if augmentation == "none" else "augmented"
        figures[f"invariance_{name}_mae"] = float(np.abs(given - labels).mean())
        for kind, change in DESCRIPTIONS.items():
            rng = np.random.default_rng(0)
            moved = _predicted(model, [change(cell, rng) for cell in cells])
            figures[f"invariance_{name}_{kind}"] = float(np.abs(moved - given).mean())
    return figures


def _translated(cell: Structure, rng: np.random.Generator) -> Structure:
    moved = cell.copy()
    moved.translate_sites(range(len(cell)), rng.random(3).tolist(), to_unit_cell=True)
    return moved


def _rotated(cell: Structure, rng: np.random.Generator) -> Structure:
    moved = cell.copy()
    turn = Rotation.random(rng=rng).as_matrix()
    moved.apply_operation(SymmOp.from_rotation_and_translation(turn))
    return moved


def _permuted(cell: Structure, rng: np.random.Generator) -> Structure:
    return Structure.from_sites([cell[int(i)] for i in rng.permutation(len(cell))])


def _other_axes(cell: Structure, rng: np.random.Generator) -> Structure:
    order = rng.permutation(3)
    return Structure(cell.lattice.matrix[order], cell.species, cell.frac_coords[:, order])


def _doubled(cell: Structure, rng: np.random.Generator) -> Structure:
    repeats = np.ones(3, dtype=int)
    repeats[rng.integers(3)] = 2
    return cell * repeats.tolist()


DESCRIPTIONS: dict[str, Callable[[Structure, np.random.Generator], Structure]] = {
    "translation": _translated,
    "rotation": _rotated,
    "permutation": _permuted,
    "axes": _other_axes,
    "supercell": _doubled,
}


def _predicted(model: FtcpModel, cells: list[Structure]) -> np.ndarray:
    values: np.ndarray = model.predict(model.encode(cells)).mean[:, 0].numpy()
    return values
