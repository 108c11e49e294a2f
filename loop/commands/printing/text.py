"""Lines of text: what came from data is shown as it is, whatever it holds."""

import sys


def visible(text: object) -> str:
    r"""Return one line without control characters: those, and what no screen shows, become
    escapes such as ``\n`` and ``\x1b``.

    Names, labels and messages come from files and from other people's runs. A terminal would obey
    the escapes in them.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text)
    )


def say(text: object) -> None:
    """Print one line."""
    print(visible(text))


def say_block(text: str) -> None:
    """Print lines."""
    for line in text.rstrip("\n").split("\n"):
        say(line)


def say_aside(text: object) -> None:
    """Print one line where output that a program reads does not go: to the standard error."""
    print(visible(text), file=sys.stderr)


def print_error(text: str) -> None:
    """Print what was wrong, in one line, to the standard error."""
    import typer

    typer.secho("error:", fg="red", err=True, nl=False)
    typer.echo(f" {visible(text)}", err=True)
