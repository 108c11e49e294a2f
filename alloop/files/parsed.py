"""What the readers of structure formats share: result, remarks, refusals, plain elements."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pymatgen.core import DummySpecies, Element, Species, Structure

from alloop.elements import ISOTOPES
from alloop.errors import MaterialError
from alloop.files.limits import ATOMS

_REASON_LENGTH = 300
_MOST_REMARKS = 10


@dataclass(frozen=True)
class ParsedStructure:
    """Structure of a text, with remarks on what was odd in it and what was left out."""

    structure: Structure
    remarks: tuple[str, ...]
    """Sentences of at most a few hundred characters, each once."""


def parsed(format_name: str, parse: Callable[[], tuple[Structure, list[str]]]) -> ParsedStructure:
    """Return what a parser makes of untrusted text, on plain elements.

    Args:
        format_name: what an error calls the format.
        parse: the parser; returns the structure and its own remarks.

    Raises:
        MaterialError: if the parser refuses the text or raises anything else, or a number in it is
            not finite.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            structure, said = parse()
            if np.isfinite(structure.lattice.matrix).all():
                structure, more = _plain(structure)
                said += more
        except MaterialError:
            raise
        except Exception as error:  # parsers of untrusted text raise anything
            notes = _remarks([], caught)
            why = "; ".join([str(error) or type(error).__name__, *notes])
            shown = _one_line(why)
            raise MaterialError(f"it cannot be read as {format_name} ({shown})") from error
    return ParsedStructure(structure, _remarks(said, caught))


def require_few_atoms(n: int, most: int = ATOMS) -> None:
    """Raise MaterialError if a text promises no atoms at all or too many."""
    if not 0 <= n <= most:
        raise MaterialError(
            f"it holds {n:,} atoms, more than the {most:,} that are read"
            if n > 0
            else f"it says that it holds {n} atoms",
            remedy="Give one cell.",
        )


def _plain(structure: Structure) -> tuple[Structure, list[str]]:
    """Return the structure without isotopes and charges, and what to say of it."""
    said = []
    kinds = {kind for each in structure.species_and_occu for kind in each}
    elements = {getattr(kind, "element", kind) for kind in kinds}
    if isotopes := sorted({el.name for el in elements if getattr(el, "name", "") in ISOTOPES}):
        structure.replace_species({Element[name]: Element.H for name in isotopes})
        said.append(f"{', '.join(isotopes)} is read as H: isotopes are not told apart")
    charged = sorted(
        str(kind) for kind in kinds if isinstance(kind, Species) and kind.oxi_state is not None
    )
    if charged and not any(isinstance(kind, DummySpecies) for kind in kinds):
        structure.remove_oxidation_states()
        if states := [name for name in charged if not name.endswith("0+")]:
            said.append(f"charges are left out: {', '.join(states)}")
    if "magmom" in structure.site_properties:
        structure.remove_site_property("magmom")
        said.append("magnetic moments are left out")
    return structure, said


def _remarks(said: list[str], caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    texts = [*said, *(str(warning.message) for warning in caught)]
    return tuple(dict.fromkeys(map(_one_line, texts)))[:_MOST_REMARKS]


def _one_line(text: str) -> str:
    # Cut before it is split: a parser may quote the whole file.
    words = " ".join(text[: 4 * _REASON_LENGTH].split())
    return words if len(words) <= _REASON_LENGTH else f"{words[: _REASON_LENGTH - 1]}…"
