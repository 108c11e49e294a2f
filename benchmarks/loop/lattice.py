"""How well the lattice model reconstructs the held-out AlloGen structures."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from alloop.files.cif import read_cif
from alloop.models.base import Dataset
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.model import LatticeModel
from alloop.models.lattice.options import LatticeOptions
from alloop.models.lattice.parent import identify

ATOMS = 54
ELEMENTS = ("Ni", "Fe", "Cr")
SEED = 0


def lattice_figures(folder: Path) -> dict[str, float]:
    """Train on ``train.csv`` and random decorations, reconstruct all of ``test.csv``.

    A reconstruction counts if it has the same parent, the same element on every site up to
    the lattice's symmetry, *and* passes AlloGen's ``StructureMatcher``. The data hold binaries,
    so the model's count bounds are 0 to 54.

    Args:
        folder: with AlloGen's two tables.

    Returns:
        ``lattice_exact_match_rate`` over all rows; the same over rows whose formula and phase
        do (``_seen_formula``) or do not (``_new_formula``) occur in training; and the seconds
        of the first fit and of a refit.
    """
    training, held_out = read_table(folder / "train.csv"), read_table(folder / "test.csv")
    model = LatticeModel(
        LatticeOptions(),
        DecorationSpace.of(ELEMENTS, ("fcc", "bcc"), ATOMS, {}),
        ("bulk_modulus",),
    )
    fit_seconds = fit_model(model, training, SEED)
    rebuilt = reconstruct(model, [structure for structure, _ in held_out])
    is_exact = np.array(
        [is_same(original, copy) for (original, _), copy in zip(held_out, rebuilt, strict=True)]
    )
    known = {formula_and_phase(structure) for structure, _ in training}
    is_known = np.array([formula_and_phase(structure) in known for structure, _ in held_out])
    return {
        "lattice_exact_match_rate": float(is_exact.mean()),
        "lattice_exact_match_rate_seen_formula": float(is_exact[is_known].mean()),
        "lattice_exact_match_rate_new_formula": float(is_exact[~is_known].mean()),
        "lattice_fit_seconds": fit_seconds,
        "lattice_refit_seconds": fit_model(model, training, SEED + 1),
    }


def read_table(path: Path) -> list[tuple[Structure, float]]:
    """Return relaxed structures with their published bulk moduli in GPa."""
    rows = pd.read_csv(path)[["cif", "ealstic_vector"]].itertuples(index=False)
    return [(read_cif(cif).structure, float(modulus)) for cif, modulus in rows]


def fit_model(model: LatticeModel, rows: Sequence[tuple[Structure, float]], seed: int) -> float:
    """Train the model and return the seconds it took, reading of the structures included."""
    data = Dataset(
        materials=tuple(structure for structure, _ in rows),
        property_names=("bulk_modulus",),
        labels=np.array([[modulus] for _, modulus in rows]),
        is_augmented=np.zeros(len(rows), dtype=bool),
    )
    start = time.perf_counter()
    model.fit(data, seed=seed)
    return time.perf_counter() - start


def reconstruct(model: LatticeModel, structures: Sequence[Structure]) -> list[Structure]:
    """Return the structures that the model decodes from the structures' latent points."""
    decoded = model.decode(model.encode(structures), seed=SEED)
    return [material for material in decoded if isinstance(material, Structure)]


def is_same(original: Structure, copy: Structure) -> bool:
    """Return whether a copy is on the same parent, equally decorated, and geometrically close."""
    parent = identify(original)
    if identify(copy) != parent:
        return False
    forms = {parent.canonical(parent.decoration(cell)) for cell in (original, copy)}
    return len(forms) == 1 and bool(MATCHER.fit(original, copy))


MATCHER = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
"""AlloGen's settings."""


def formula_and_phase(structure: Structure) -> tuple[str, str]:
    """Return what rows of the two tables must not share to be independent."""
    return structure.composition.alphabetical_formula, identify(structure).name
