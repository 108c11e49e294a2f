"""Kinds of oracle and model, found as entry points of installed distributions.

A kind is a name that a spec writes after ``kind:``. Alloop's own kinds and anybody else's come in
by the same door: an entry point in the group ``alloop.oracles`` or ``alloop.models`` whose object
is a subclass of ``alloop.oracles.OracleOptions`` or ``alloop.models.ModelOptions``. Screens, rules
of somebody's own for candidates, are functions in the group ``alloop.screens``. Nothing is
imported before a spec uses the kind, and nothing that is not an installed distribution's entry
point is imported at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from alloop.errors import PluginError, one_line

if TYPE_CHECKING:
    from alloop.materials import Material

ORACLES, MODELS = "alloop.oracles", "alloop.models"
"""Groups of entry points whose objects are options."""
CALCULATORS = "alloop.calculators"
"""Group of entry points whose objects are learned potentials, for tiers of kind mlip."""
SCREENS = "alloop.screens"
"""Group of entry points whose objects are rules that refuse candidates."""

Screen = Callable[["Material"], "str | None"]
"""Rule of somebody's own: why a material is refused, or None where it is not."""


@dataclass(frozen=True)
class Kind:
    """A kind as one distribution announces it."""

    name: str
    """Name that a spec writes after ``kind:``."""
    group: str
    """Group of the entry point: ``ORACLES``, ``MODELS``, ``CALCULATORS`` or ``SCREENS``."""
    package: str
    """Name of the distribution."""
    version: str
    """Version of the distribution."""
    entry_point: EntryPoint

    def load(self) -> Any:
        """Import and return the object behind the entry point.

        Raises:
            PluginError: if it cannot be imported.
        """
        try:
            return self.entry_point.load()
        except Exception as error:  # a plugin's module may raise anything
            raise self.unusable(f"cannot be imported ({one_line(error)})") from error

    def unusable(self, why: str) -> PluginError:
        """Return the error of a kind that its package brings in vain, with a predicate of it."""
        return PluginError(f"{self} {why}", remedy=f"Update or uninstall {self.package}.")

    def screen(self) -> "Screen":
        """Import and return the function behind the entry point of a screen.

        Raises:
            PluginError: if it cannot be imported, or is none.
        """
        found = self.load()
        if not callable(found):
            raise self.unusable(f"names {self.entry_point.value}, no function")
        screen: Screen = found
        return screen

    def options(self, base: type[BaseModel]) -> type[BaseModel]:
        """Import and return the options class behind the entry point.

        Args:
            base: the class that it has to extend.

        Raises:
            PluginError: if it cannot be imported, is no subclass of ``base``, or calls itself
                something else than its entry point.
        """
        found = self.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            raise self.unusable(
                f"names {self.entry_point.value}, which is no subclass of "
                f"{self.group}.{base.__name__}"
            )
        if (own := found.model_fields["kind"].default) != self.name:
            raise self.unusable(f"names {self.entry_point.value}, whose kind is {own!r}")
        return found

    def __str__(self) -> str:
        return f"kind {self.name} of {self.package} {self.version}"


@lru_cache(maxsize=4)
def installed_kinds(group: str) -> Mapping[str, tuple[Kind, ...]]:
    """Return the kinds of a group by name, sorted; more than one under a name is a conflict."""
    found: dict[str, list[Kind]] = {}
    for entry in entry_points(group=group):
        if entry.dist is None:
            continue
        kind = Kind(entry.name, group, *_name_and_version(entry.dist), entry)
        others = found.setdefault(entry.name, [])
        # A checkout and its installation may both be on the path: one distribution, found twice.
        if all(other.package != kind.package for other in others):
            others.append(kind)
    return MappingProxyType({name: tuple(found[name]) for name in sorted(found)})


@lru_cache(maxsize=64)
def _name_and_version(package: Distribution) -> tuple[str, str]:
    """Return both from one reading of the distribution's metadata, which each property of it would
    read anew.
    """
    metadata = package.metadata
    return metadata["Name"], metadata["Version"]


def find_kind(group: str, name: str) -> Kind:
    """Return the kind of a name.

    Raises:
        PluginError: if no installed distribution has it, or more than one.
    """
    kinds = installed_kinds(group)
    match kinds.get(name, ()):
        case (kind,):
            return kind
        case ():
            raise PluginError(
                f"there is no kind {name!r}; installed are {', '.join(kinds) or 'none'}",
                remedy="Install the package that brings it; `alloop kinds` lists what there is.",
            )
        case several:
            packages = " and ".join(f"{kind.package} {kind.version}" for kind in several)
            raise PluginError(
                f"the kind {name!r} comes from {packages}", remedy="Uninstall all but one of them."
            )


def options_of(group: str, name: str, base: type[BaseModel]) -> type[BaseModel]:
    """Return the options class of a kind.

    Args:
        group: ``ORACLES`` or ``MODELS``.
        name: of the kind.
        base: the class that it has to extend.

    Raises:
        PluginError: if the kind is not installed, comes from several packages, or is broken.
    """
    return find_kind(group, name).options(base)
