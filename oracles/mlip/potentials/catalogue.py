"""Learned potentials by name: entry points of ``alloop.calculators``, ours and anybody's."""

from alloop.errors import PluginError, SpecError
from alloop.kinds import CALCULATORS, Kind, installed_kinds
from alloop.oracles.mlip.potentials.definition import LearnedPotential


def find_learned_potential(name: str) -> LearnedPotential:
    """Return the learned potential of a name.

    Raises:
        SpecError: if no installed package brings one.
        PluginError: if several do, or it cannot be used.
    """
    known = installed_kinds(CALCULATORS)
    found = known.get(name, ())
    if not found:
        raise SpecError(
            f"there is no learned potential {name!r}; installed are {', '.join(known)}",
            where="tiers, model",
            remedy="Install the package that brings it as an entry point of alloop.calculators; "
            "docs/plugins.md shows how.",
        )
    if len(found) > 1:
        packages = " and ".join(kind.package for kind in found)
        raise PluginError(
            f"the learned potential {name!r} comes from {packages}",
            remedy="Uninstall all but one of them.",
        )
    return load_learned_potential(found[0])


def load_learned_potential(kind: Kind) -> LearnedPotential:
    """Import the object behind an entry point of ``alloop.calculators``.

    Raises:
        PluginError: if it cannot be imported, or is no ``LearnedPotential``.
    """
    potential = kind.load()
    if not isinstance(potential, LearnedPotential):
        raise kind.unusable(
            f"names {kind.entry_point.value}, which is no alloop.oracles.LearnedPotential"
        )
    return potential
