"""`alloop settings`: how and where programs are run."""

from typing import Annotated

import typer

from alloop.loop.commands.printing.text import say


def settings(
    json: Annotated[bool, typer.Option("--json", help="everything as JSON, for programs")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="print an example with every key, and nothing else")
    ] = False,
) -> None:
    """Show your settings, and what is missing for which kind.

    A campaign names profiles of these settings (engine: vasp, profile: cluster); programs,
    schedulers' addresses, options of jobs and environment stand here and nowhere else. The file is
    $XDG_CONFIG_HOME/alloop/settings.yaml, or what ALLOOP_SETTINGS names. No program is started.
    """
    from alloop.settings.example import EXAMPLE

    if example:
        print(EXAMPLE, end="")
        return
    from alloop.loop.settings_status import readiness
    from alloop.settings.settings_file import read_settings, settings_path

    path, found = settings_path(), read_settings()
    ready = readiness(found)
    if json:
        from alloop.loop.commands.printing.formats import print_json

        uses = [vars(each) for each in ready]
        content = found.model_dump(mode="json")
        print_json({"file": str(path), "exists": path.is_file(), **content, "uses": uses})
        return
    there = "" if path.is_file() else " (not there yet; `alloop settings --example` prints one)"
    say(f"file      {path}{there}")
    say(f"profiles  {', '.join(found.profiles) or 'none; default is what it is without a file'}")
    for profile in dict.fromkeys(each.profile for each in ready):
        say("")
        say(f"profile {profile}")
        for each in ready:
            if each.profile == profile:
                state = f"missing: {each.missing}" if each.missing else "ready"
                say(f"  {each.use:<25} {each.runs:<35} {state}".rstrip())
