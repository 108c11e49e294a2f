"""Round trips, reconstruction through the VAE, and property errors on held-out rows."""

import time
from collections.abc import Sequence

import numpy as np
from matminer.featurizers.composition import ElementProperty
from matminer.featurizers.structure import DensityFeatures
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from sklearn.ensemble import RandomForestRegressor

from alloop.models.base import Dataset
from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.representation.crystals import Size, read_crystals, to_structures
from alloop.models.ftcp.representation.matrix import from_matrices, to_matrices
from alloop.models.ftcp.representation.scaling import chunks
from benchmarks.ftcp.data import Split

MATCHER = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
"""CDVAE's settings, with which the published rates were measured."""
FOREST_TREES = 300


def roundtrip_rate(data: Dataset) -> float:
    """Return the share of crystals that match what their matrix is turned back into."""
    size = Size.of(data.materials)
    back = [
        structure
        for chunk in chunks(read_crystals(data.materials, size))
        for structure in to_structures(from_matrices(to_matrices(chunk, size), size))
    ]
    return match_rate(structures_of(data), back)


def featurise_per_second(data: Dataset) -> float:
    """Return crystals per second from structures to matrices, in one process.

    The structures are made anew: those that were read have looked up what is asked for again.
    """
    structures = [
        Structure(Lattice(cell.lattice.matrix), cell.species, cell.frac_coords)
        for cell in structures_of(data)
    ]
    began = time.perf_counter()
    size = Size.of(structures)
    for chunk in chunks(read_crystals(structures, size)):
        to_matrices(chunk, size)
    return len(data) / (time.perf_counter() - began)


def reconstruction(model: FtcpModel, held_out: Dataset) -> dict[str, float]:
    """Return match rate, lattice and coordinate errors and element accuracy on held-out rows.

    Errors are means over crystals whose sites came back in number: Å for edges, degrees for
    angles, shares of the cell for coordinates. Where there is no such crystal, none is returned.
    """
    originals = structures_of(held_out)
    decoded = model.decode(model.encode(originals), seed=0)
    copies = [material for material in decoded if isinstance(material, Structure)]
    pairs = [
        (one, other) for one, other in zip(originals, copies, strict=True) if len(one) == len(other)
    ]
    same = [one.species == other.species for one, other in zip(originals, copies, strict=True)]
    figures = {
        "reconstruction_rate": match_rate(originals, copies),
        "element_accuracy": float(np.mean(same)),
    }
    if not pairs:
        return figures
    lattice = np.array(
        [np.subtract(one.lattice.parameters, other.lattice.parameters) for one, other in pairs]
    )
    moved = [np.subtract(one.frac_coords, other.frac_coords) for one, other in pairs]
    coords = np.concatenate([(shift - shift.round()).ravel() for shift in moved])
    return figures | {
        "length_mae": float(np.abs(lattice[:, :3]).mean()),
        "angle_mae": float(np.abs(lattice[:, 3:]).mean()),
        "coordinate_mae": float(np.abs(coords).mean()),
    }


def match_rate(originals: Sequence[Structure], copies: Sequence[Structure]) -> float:
    """Return the share of pairs that match."""
    fits = [bool(MATCHER.fit(*pair)) for pair in zip(originals, copies, strict=True)]
    return float(np.mean(fits))


def target_errors(model: FtcpModel, held_out: Dataset) -> dict[str, float]:
    """Return the target branch's error and how truthful its uncertainty is, on held-out rows:
    mean absolute error, share of rows within one and two standard deviations (68 and 95 % of a
    Gaussian), root mean square of errors over standard deviations (1 where calibrated).
    """
    prediction = model.predict(model.encode(held_out.materials))
    errors = np.abs(prediction.mean[:, 0].numpy() - held_out.labels[:, 0])
    std = prediction.std[:, 0].numpy()
    return {
        "target_mae": float(errors.mean()),
        "target_within_1_std": float((errors < std).mean()),
        "target_within_2_std": float((errors < 2 * std).mean()),
        "target_rms_z": float(np.sqrt(np.square(errors / std).mean())),
    }


def forest_mae(rows: Split) -> float:
    """Return the held-out error of a random forest on matminer's Magpie and density features."""
    forest = RandomForestRegressor(FOREST_TREES, random_state=0, n_jobs=-1)
    forest.fit(_features(rows.training), rows.training.labels[:, 0])
    guesses = forest.predict(_features(rows.held_out))
    return float(np.abs(guesses - rows.held_out.labels[:, 0]).mean())


def structures_of(data: Dataset) -> list[Structure]:
    """Return the materials, which are all structures."""
    return [material for material in data.materials if isinstance(material, Structure)]


def _features(data: Dataset) -> np.ndarray:
    magpie, density = ElementProperty.from_preset("magpie"), DensityFeatures()
    rows = [
        [*magpie.featurize(cell.composition), *density.featurize(cell)]
        for cell in structures_of(data)
    ]
    return np.nan_to_num(np.array(rows, dtype=float))
