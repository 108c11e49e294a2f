"""`alloop kinds`: the kinds of oracle and model that are installed."""

from typing import Any

from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_list


def kinds(format: FormatOption = Format.TABLE) -> None:
    """List the installed kinds of oracle and model.

    One that cannot be used says why; it does no harm to the others.
    """
    from alloop.kinds import MODELS, ORACLES, installed_kinds
    from alloop.models.options import ModelOptions
    from alloop.oracles.options import OracleOptions

    rows = []
    for group, what, base in (
        (ORACLES, "oracle", OracleOptions),
        (MODELS, "model", ModelOptions),
    ):
        for several in installed_kinds(group).values():
            for kind in several:
                rows.append(
                    {
                        "kind": kind.name,
                        "is": what,
                        "package": kind.package,
                        "version": kind.version,
                        "description": _description(group, kind.name, base),
                    }
                )
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
