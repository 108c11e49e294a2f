"""A small picture of a cell: its atoms seen in parallel projection, coloured by element."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from pymatgen.core import Structure

from alloop.loop.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    SKY,
    VERMILLION,
    YELLOW,
)

ELEMENT_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, QUIET)
TURN, TILT = np.radians(24.0), np.radians(14.0)
"""Rotation of the view in radians: about the vertical, and down upon the cell."""
WIDTH = 260.0
"""Width of the drawing, in SVG units."""
MARGIN = 14.0
ATOM_RADIUS = 0.62
"""Radius of an atom, Å: small enough to see the layers behind."""
FADE = 0.55
"""Share by which the rearmost atoms fade towards the paper."""
SEAM = 0.05
"""Distance from the far face, in fractions, within which atoms are drawn at the near one, where
relaxation moved them from."""

Points = npt.NDArray[np.float64]


def picture_of(structure: Structure, elements: Sequence[str]) -> Markup:
    """Return an SVG of the cell.

    Args:
        structure: what to draw.
        elements: of the campaign, in the order of their colours.
    """
    fractions = (structure.frac_coords + SEAM) % 1.0 - SEAM
    atoms = _project(fractions @ structure.lattice.matrix)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    box = _project(corners @ structure.lattice.matrix)
    everything = np.vstack([atoms, box])
    low, high = everything[:, :2].min(axis=0), everything[:, :2].max(axis=0)
    scale = (WIDTH - 2 * MARGIN) / float((high - low)[0] or 1.0)
    height = scale * float((high - low)[1]) + 2 * MARGIN

    def place(points: Points) -> Points:
        x = MARGIN + scale * (points[:, 0] - low[0])
        y = height - MARGIN - scale * (points[:, 1] - low[1])
        return np.column_stack([x, y])

    lines = _edges(place(box), corners)
    circles = _circles(structure, place(atoms), atoms[:, 2], scale * ATOM_RADIUS, elements)
    return Markup(
        '<svg class="cell" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}{}</svg>'
    ).format(WIDTH, height, f"{len(structure)} atoms in their cell", lines, circles)


def legend_of(structure: Structure, elements: Sequence[str]) -> list[tuple[str, str]]:
    """Return element and colour of what the picture shows."""
    present = {site.specie.symbol for site in structure}
    colours = _colours(elements)
    return [(symbol, colours.get(symbol, INK)) for symbol in elements if symbol in present]


def _project(points: Points) -> Points:
    """Return right, up and towards the viewer, for Cartesian points of shape (n, 3) in Å."""
    x, y, z = points.T
    right = np.cos(TURN) * x + np.sin(TURN) * y
    back = -np.sin(TURN) * x + np.cos(TURN) * y
    up = np.cos(TILT) * z + np.sin(TILT) * back
    towards = np.sin(TILT) * z - np.cos(TILT) * back
    return np.column_stack([right, up, towards])


def _edges(box: Points, corners: Points) -> Markup:
    line = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#c9ced4"/>')
    return Markup("").join(
        line.format(*box[i], *box[j])
        for i in range(len(corners))
        for j in range(i + 1, len(corners))
        if np.abs(corners[i] - corners[j]).sum() == 1
    )


def _circles(
    structure: Structure, places: Points, depth: Points, radius: float, elements: Sequence[str]
) -> Markup:
    """Return the atoms, rearmost first, the far ones paler."""
    span = float(depth.max() - depth.min()) or 1.0
    colours = _colours(elements)
    circle = Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" stroke="#ffffff"><title>{}</title>'
        "</circle>"
    )
    return Markup("").join(
        circle.format(
            *places[i],
            radius,
            _faded(
                colours.get(structure[i].specie.symbol, INK),
                FADE * float(depth.max() - depth[i]) / span,
            ),
            f"{structure[i].specie.symbol}, site {i}",
        )
        for i in (int(i) for i in np.argsort(np.round(depth, 6), kind="stable"))
    )


def _colours(elements: Sequence[str]) -> dict[str, str]:
    return {symbol: ELEMENT_COLOURS[i % len(ELEMENT_COLOURS)] for i, symbol in enumerate(elements)}


def _faded(colour: str, share: float) -> str:
    """Return a colour mixed with white."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(c + (255 - c) * share):02x}" for c in channels)
