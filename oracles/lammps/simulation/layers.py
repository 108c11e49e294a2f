"""A crystal as a stack of lattice planes, to be cut or sheared between two of them."""

import itertools
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.oracles.crystal_frame import CrystalFrame
from alloop.oracles.lammps.simulation.cell import Array

Miller = tuple[int, int, int]

_STEPS = np.array(list(itertools.product(range(-4, 5), repeat=3)))
"""Candidates for the vectors of a new cell: whole combinations of lattice vectors."""


@dataclass(frozen=True)
class LayerStack:
    """Stack of lattice planes: one period of a crystal whose planes of one kind lie across the
    third vector."""

    lattice: Array
    """Lattice vectors as rows: two in the plane, one that leads to the next period; Å, shape (3,
    3)."""
    species: list[str]
    positions: Array
    """Cartesian positions, Å, shape (n, 3)."""
    layers: Array
    """Number of each atom's plane, 0 … n_layers − 1, shape (n,)."""
    n_layers: int
    normal: Array
    """Unit normal of the planes, shape (3,)."""

    @property
    def area(self) -> float:
        """Area of one plane, Å²."""
        return float(np.linalg.norm(np.cross(self.lattice[0], self.lattice[1])))

    @property
    def period(self) -> float:
        """Distance to the same plane in the next period, Å."""
        return float(self.lattice[2] @ self.normal)

    def repeated(self, n_periods: int, *, first: int = 0, shift: Array | None = None) -> Structure:
        """Return periods of the crystal, starting with a given plane.

        Args:
            n_periods: how many.
            first: the plane at the bottom.
            shift: of each repetition of the whole against the one below, Å, shape (3,).
        """
        below = self.positions + np.outer(self.layers < first, self.lattice[2])
        positions = np.concatenate([below + k * self.lattice[2] for k in range(n_periods)])
        across = n_periods * self.lattice[2] + (np.zeros(3) if shift is None else shift)
        return Structure(
            Lattice([self.lattice[0], self.lattice[1], across]),
            self.species * n_periods,
            positions,
            coords_are_cartesian=True,
        )


def stack_along(structure: Structure, frame: CrystalFrame, family: Miller) -> LayerStack:
    """Return a crystal as a stack of planes of a family, those with the smallest repeat.

    Args:
        structure: decorated points of a cubic lattice, a little off them.
        frame: ``parent_frame(structure)``.
        family: Miller indices in the cube's axes, such as (1, 1, 0).
    """
    # In half edges of the cube, lattice vectors of fcc and bcc have whole coordinates.
    edge = frame.crystal.lattice.a
    cubic = np.round(2 * structure.lattice.matrix @ frame.rotation.T / edge).astype(int)
    points = np.round(2 * frame.crystal.get_primitive_structure().lattice.matrix / edge).astype(int)
    variants = {tuple(v) for p in itertools.permutations(family) for v in _signs(p)}
    stacks = [_stack(structure, cubic, points, np.array(v)) for v in sorted(variants)]
    return min(stacks, key=lambda stack: round(stack.area, 3))


def _signs(family: tuple[int, ...]) -> list[Array]:
    """Return the planes with these indices up to sign; a plane and its opposite are one."""
    signed = [np.multiply(family, s) for s in itertools.product((1, -1), repeat=3)]
    return [v for v in signed if v[np.flatnonzero(v)[0]] > 0]


def _stack(structure: Structure, cubic: Array, points: Array, face: Array) -> LayerStack:
    heights = cubic @ face
    per_period = int(np.gcd.reduce(heights))
    n_layers = per_period // int(np.gcd.reduce(points @ face))
    basis = _basis(structure.lattice.matrix, heights // per_period)
    lattice = basis @ structure.lattice.matrix
    normal = np.cross(lattice[0], lattice[1])
    normal /= np.linalg.norm(normal)
    coords = structure.cart_coords
    numbers = coords @ normal / (lattice[2] @ normal) * n_layers
    # The planes' common offset, as an angle, so that 0 and 1 are the same.
    offset = np.angle(np.exp(2j * np.pi * numbers).mean()) / (2 * np.pi)
    layers = np.round(numbers - offset).astype(int)
    periods, layers = np.divmod(layers, n_layers)
    symbols = [site.specie.symbol for site in structure]
    positions = coords - np.outer(periods, lattice[2])
    return LayerStack(lattice, symbols, positions, layers, n_layers, normal)


def _basis(vectors: Array, heights: Array) -> Array:
    """Return whole combinations of vectors that span the same lattice: the shortest two of
    height 0, and the shortest of height 1, the right way round.
    """
    lengths = np.linalg.norm(_STEPS @ vectors, axis=1)
    order = _STEPS[np.argsort(lengths.round(6), kind="stable")]
    flat = [step for step in order[1:] if step @ heights == 0]
    first = flat[0]
    # Their cross product is the heights themselves when nothing lies between them.
    second = next(s for s in flat if (np.abs(np.cross(first, s)) == np.abs(heights)).all())
    third = next(step for step in order if step @ heights == 1)
    basis = np.array([first, second, third])
    if np.linalg.det(basis @ vectors) < 0:
        basis[1] *= -1
    return basis
