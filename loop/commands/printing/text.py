"""Lines of text: what came from data is shown as it is, whatever it holds."""

import sys

from alloop.files.visible_text import visible


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
