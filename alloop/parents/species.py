"""What may sit on a site: an element, or nothing."""

from typing import Annotated

from pydantic import AfterValidator

from alloop.elements import is_element

VACANCY = "vacancy"
"""The species of an empty site, in specs and codes; a structure leaves it out."""


def checked_species(name: str) -> str:
    """Return a species that is one; for the fields of pydantic models.

    Raises:
        ValueError: if it is none.
    """
    if name != VACANCY and not is_element(name):
        raise ValueError(
            f"{name!r} is neither a chemical element nor {VACANCY}; write a symbol, such as Ni"
        )
    return name


SpeciesName = Annotated[str, AfterValidator(checked_species)]
"""Symbol of an element, or ``vacancy``."""
