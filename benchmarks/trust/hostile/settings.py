"""Hostile settings: what a settings file of the user's own may not say, and whose it may not be."""

import os
from collections.abc import Iterator

import yaml

from benchmarks.trust.hostile.cases import Hostile, Place, Trial
from benchmarks.trust.hostile.specs import BASE


def hostile_settings(place: Place) -> Iterator[Hostile]:
    """Yield settings, each shown and used by the check of a spec that names its profile."""
    tier = {"kind": "dft", "engine": "espresso", "profile": "x"}
    energy = [{"property": "energy_per_atom", "goal": "minimise"}]
    spec = place.write("spec.yaml", yaml.safe_dump(BASE | {"tiers": [tier], "objectives": energy}))
    for name, (text, says) in _texts(place).items():
        path = place.numbered(text)
        yield _case(name, str(path), str(spec), says)
    for name, mode in (("group", 0o620), ("world", 0o606)):
        text = f"profiles: {{x: {{espresso: {{command: [sh, -c, '{place.touch}']}}}}}}"
        path = place.numbered(text, mode=mode)
        yield _case(f"{name}-writable", str(path), str(spec), "chmod go-w")
    pipe = place.folder / "files" / "settings-pipe.yaml"
    os.mkfifo(pipe, 0o600)
    yield _case("pipe", str(pipe), str(spec), "this is no file")


def _case(name: str, path: str, spec: str, says: str) -> Hostile:
    trials = (Trial(("settings",), says, path), Trial(("check", spec), says, path))
    return Hostile(f"settings: {name}", trials)


def _texts(place: Place) -> dict[str, tuple[str, str]]:
    touch = place.touch

    def profile(text: str) -> str:
        return f"profiles: {{x: {{{text}}}}}\n"

    return {
        "shell-line": (profile(f"espresso: {{command: 'sh -c \"{touch}\"'}}"), "list of words"),
        "newline": (profile(f'vasp: {{command: ["sh", "-c\\n{touch}"]}}'), "line break"),
        "wrap": (profile(f"slurm: {{directives: {{wrap: '{touch}'}}}}"), "directives.wrap"),
        "prolog": (profile("slurm: {directives: {prolog: /x}}"), "directives.prolog"),
        "directive-value": (
            profile(f'slurm: {{directives: {{qos: "a\\n#SBATCH --wrap={touch}"}}}}'),
            "directives.qos",
        ),
        "partition": (profile(f'slurm: {{partition: "a\\n{touch}"}}'), "slurm.partition"),
        "account": (profile(f"slurm: {{account: '$({touch})'}}"), "slurm.account"),
        "environment-name": (profile(f'environment: {{"A=1; {touch}; B": x}}'), "environment"),
        "environment-value": (profile(f'environment: {{A: "1\\n{touch}"}}'), "line break"),
        "address": (profile("dask: {address: 'file:///etc/passwd'}"), "dask.address"),
        "profile-name": (f'profiles: {{"../x": {{}}, "$({touch})": {{}}}}\n', "profiles"),
        "python": (f"profiles: !!python/object/apply:os.system ['{touch}']\n", "python/object"),
        "references": ("profiles: {x: &x {}, y: *x}\n", "references"),
        "twice": (profile("vasp: {}") + profile(f"vasp: {{command: ['{touch}']}}"), "twice"),
        "unknown": (profile(f"prologue: ['{touch}']"), "'prologue'"),
    }
