"""`alloop kinds`: the kinds of oracle and model, and the learned potentials, that are installed."""

from typing import TYPE_CHECKING, Any

from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_list

if TYPE_CHECKING:
    from alloop.kinds import Kind


def kinds(format: FormatOption = Format.TABLE) -> None:
    """List the kinds of oracle, model and learned potential.

    One that cannot be used says why; it does no harm to the others.
    """
    from alloop.kinds import CALCULATORS, MODELS, ORACLES, installed_kinds
    from alloop.models.options import ModelOptions
    from alloop.oracles.options import OracleOptions

    describe = {
        (ORACLES, "oracle"): lambda kind: _description(ORACLES, kind.name, OracleOptions),
        (MODELS, "model"): lambda kind: _description(MODELS, kind.name, ModelOptions),
        (CALCULATORS, "learned potential"): _potential,
    }
    rows = [
        {
            "kind": kind.name,
            "is": what,
            "package": kind.package,
            "version": kind.version,
            "description": said(kind),
        }
        for (group, what), said in describe.items()
        for several in installed_kinds(group).values()
        for kind in several
    ]
    print_list(rows, format, whole=("kind",), empty="no kinds are installed")


def _description(group: str, name: str, base: type[Any]) -> str:
    """Return the first paragraph about a kind's options, or why they cannot be used."""
    from alloop.errors import PluginError
    from alloop.kinds import options_of

    try:
        options = options_of(group, name, base)
    except PluginError as error:
        return f"cannot be used: {error}"
    return " ".join((options.__doc__ or "").partition("\n\n")[0].split())


def _potential(kind: "Kind") -> str:
    """Return what a learned potential is, and what is missing to use it."""
    from alloop.errors import AlloopError
    from alloop.oracles.mlip.potentials.catalogue import load_learned_potential

    try:
        potential = load_learned_potential(kind)
    except AlloopError as error:
        return f"cannot be used: {error}"
    try:
        potential.check(())
        potential.weights_file()
    except AlloopError as error:
        return f"{potential.description}; cannot be used: {error}"
    return potential.description
