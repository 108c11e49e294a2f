"""`alloop potentials`: what a LAMMPS tier can name."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from alloop.elements import is_element
from alloop.errors import PotentialError
from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_list


def potentials(
    elements: Annotated[
        list[str] | None, typer.Argument(help="only those that cover all of these: Ni Al")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the interatomic potentials for LAMMPS."""
    from alloop.oracles.lammps.potentials.catalogue import list_potentials

    wanted = elements or []
    if unknown := [symbol for symbol in wanted if not is_element(symbol)]:
        raise PotentialError(
            f"{', '.join(unknown)} is no chemical element", remedy="Write symbols, such as Ni Al."
        )
    known = list_potentials()
    rows = [
        {
            "name": potential.name,
            "pair style": potential.pair_style,
            "elements": " ".join(potential.elements),
            "citation": potential.citation,
        }
        for potential in known
        if set(wanted) <= set(potential.elements)
    ]
    covered = {potential.name: potential.elements for potential in known}
    print_list(rows, format, whole=("name",), empty=_why_nothing(wanted, covered))


def _why_nothing(wanted: Sequence[str], covered: Mapping[str, Sequence[str]]) -> str:
    """Say which of the elements no potential has, or that none has them together."""
    everywhere = {symbol for elements in covered.values() for symbol in elements}
    own = "a potential of your own is given by its files, see README.md"
    if missing := [symbol for symbol in wanted if symbol not in everywhere]:
        return f"no potential that comes along covers {', '.join(missing)}; {own}"
    return f"no potential that comes along covers {', '.join(wanted)} together; {own}"
