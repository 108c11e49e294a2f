"""HTML of one material for notebooks: its name, facts, cell and a picture of it."""

from collections.abc import Mapping

from markupsafe import Markup
from pymatgen.core import Structure

from alloop.loop.report.structure.picture import legend_of, picture_of
from alloop.loop.report.words import subscripted
from alloop.materials import Material

_PICTURE_WIDTH = 260
"""Width of the picture, CSS pixels."""


def card_html(title: str, rows: Mapping[str, str], material: Material) -> str:
    """Return a card; every text is escaped.

    Args:
        title: lattice and formula.
        rows: facts by name.
        material: structure, whose cell is drawn, or composition.
    """
    parts = [Markup("<strong>{}</strong>").format(subscripted(title)), _table(rows)]
    if isinstance(material, Structure):
        parts.append(structure_html(material))
    return str(Markup("<div>{}</div>").format(Markup("").join(parts)))


def structure_html(structure: Structure) -> Markup:
    """Return a picture of a structure's cell, with its lattice parameters and elements."""
    elements = sorted({site.specie.symbol for site in structure})
    lattice = structure.lattice
    lengths = ", ".join(f"{length:.3f}" for length in lattice.abc)
    angles = ", ".join(f"{angle:.1f}" for angle in lattice.angles)
    legend = Markup(" ").join(
        Markup('<span style="color:{}">●</span> {}').format(colour, symbol)
        for symbol, colour in legend_of(structure, elements)
    )
    return Markup(
        '<div style="width:{}px">{}</div><div>{}</div><div>{} atoms; {} Å; {}°</div>'
    ).format(
        _PICTURE_WIDTH, picture_of(structure, elements), legend, len(structure), lengths, angles
    )


def _table(rows: Mapping[str, str]) -> Markup:
    cells = Markup("").join(
        Markup('<tr><th style="text-align:left">{}</th><td>{}</td></tr>').format(name, value)
        for name, value in rows.items()
    )
    return Markup("<table>{}</table>").format(cells)
