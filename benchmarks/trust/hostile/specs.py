"""Hostile campaign specs, and hostile tiers for `alloop measure --oracle`."""

from collections.abc import Iterator
from typing import Any

import yaml

from benchmarks.trust.hostile.cases import Hostile, Place, Trial

LAMMPS = {"kind": "lammps", "potential": "NiFeCr-Wu2017"}
BASE: dict[str, Any] = {
    "name": "received",
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "budget": {"initial": 4, "rounds": 1, "measurements": [10]},
    "tiers": [LAMMPS],
}
CUBE = """Ni
1.0
3.52 0 0
0 3.52 0
0 0 3.52
Ni
4
direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
"""
"""fcc nickel, as POSCAR."""


def hostile_specs(place: Place) -> Iterator[Hostile]:
    """Yield hostile specs, each checked and launched."""
    for name, (changes, says) in {**_tiers_in_specs(place), **_specs(place)}.items():
        text = yaml.safe_dump(BASE | changes, sort_keys=False)
        yield _spec(place, name, text, says)
    for name, (text, says) in _texts(place).items():
        yield _spec(place, name, yaml.safe_dump(BASE) + text, says)
    yield from _overrides(place)
    yield _checkpoint(place)
    yield _beside(place)


def hostile_tiers(place: Place) -> Iterator[Hostile]:
    """Yield the tiers of the specs above as files of their own, given to `alloop measure`."""
    structure = place.write("POSCAR", CUBE)
    for name, (tier, says) in _tiers(place).items():
        path = place.numbered(yaml.safe_dump(tier))
        words = ("measure", str(structure), "--oracle", str(path))
        yield Hostile(f"tier: {name}", (Trial(words, says),))


def _spec(place: Place, name: str, text: str, says: str) -> Hostile:
    path = place.numbered(text)
    run = path.with_suffix("")
    launch = ("launch", str(path), "--run", str(run))
    trials = (Trial(("check", str(path)), says), Trial(launch, says))
    return Hostile(f"spec: {name}", trials, path=run)


def _tiers(place: Place) -> dict[str, tuple[dict[str, Any], str]]:
    """Return tiers by name, each with what the refusal says."""
    touch, marker = place.touch, str(place.marker)
    evil = place.write("evil.eam", f"shell {touch}\ninclude {marker}\n")

    namelist = f"x'\n/\n&control\noutdir='{marker}"

    def dft(engine: str, **more: Any) -> dict[str, Any]:
        return {"kind": "dft", "engine": engine, **more}

    def own(**changes: Any) -> dict[str, Any]:
        given = {"name": "own", "pair_style": "eam/alloy", "files": [str(evil)]}
        return {"kind": "lammps", "potential": {**given, "elements": ["Ni"], **changes}}

    return {
        "espresso-command": (
            dft("espresso", espresso={"command": touch}),
            "profiles.NAME.espresso.command",
        ),
        "espresso-command-list": (
            dft("espresso", espresso={"command": ["touch", marker]}),
            "profiles.NAME.espresso.command",
        ),
        "espresso-command-beside-chgnet": (
            dft("chgnet", espresso={"command": touch}),
            "profiles.NAME.espresso.command",
        ),
        "espresso-folder": (
            dft("espresso", espresso={"pseudopotential_folder": str(place.victim)}),
            "profiles.NAME.espresso.pseudopotential_folder",
        ),
        "espresso-pseudopotential-path": (
            dft("espresso", espresso={"pseudopotentials": {"Ni": "../../../etc/passwd"}}),
            "pseudopotentials.Ni",
        ),
        "espresso-namelist": (
            dft("espresso", espresso={"system": {"input_dft": namelist}}),
            "more than a value",
        ),
        "vasp-command": (
            dft("vasp", vasp={"command": f"sh -c '{touch}'"}),
            "profiles.NAME.vasp.command",
        ),
        "vasp-gamma-command": (
            dft("vasp", vasp={"gamma_command": f"sh -c '{touch}'"}),
            "profiles.NAME.vasp.gamma_command",
        ),
        "vasp-maker": (dft("vasp", vasp={"maker": "os.system"}), "'maker'"),
        "vasp-inputs": (dft("vasp", vasp={"inputs": "os.system"}), "vasp.inputs"),
        "vasp-incar": (
            dft("vasp", vasp={"incar": {"SYSTEM": f"x\n!{touch}"}}),
            "more than a value",
        ),
        "vasp-potcar-path": (dft("vasp", vasp={"potcars": {"Ni": "../../x"}}), "vasp.potcars"),
        "remote-project": (
            dft("chgnet", manager="jobflow-remote", remote={"project": f"x; {touch}"}),
            "profiles.NAME.jobflow_remote",
        ),
        "profile-shell": (dft("vasp", profile=f"$({touch})"), "profile: "),
        "profile-path": (dft("vasp", profile="../../settings"), "profile: "),
        "profile-unknown": (dft("vasp", profile="cluster"), "no profile 'cluster'"),
        "engine-unknown": (dft(f"sh -c '{touch}'"), "engine: "),
        "engine-import-path": (dft("os:system"), "engine: "),
        "magmoms": (dft("chgnet", magmoms={touch: 1.0}), "is no element"),
        "kind-import-path": ({"kind": "os:system", "potential": "x"}, "there is no kind"),
        "kind-file": ({"kind": "evil.Options"}, "there is no kind"),
        "lammps-pair-style": (
            own(pair_style=f"eam/alloy\nshell {touch}"),
            "potential.pair_style: ",
        ),
        "lammps-pair-style-include": (own(pair_style=f"include {evil}"), "potential.pair_style: "),
        "lammps-pair-style-python": (own(pair_style="python"), "potential.pair_style: "),
        "lammps-element": (own(elements=[f"Ni\nshell {touch}"]), "potential.elements.0: "),
        "lammps-label": (own(labels=[f"Ni\nshell {touch}"]), "element in a parameter file"),
        "lammps-label-space": (own(labels=["Ni include x"]), "element in a parameter file"),
        "lammps-name": (own(name=f"own\nshell {touch}"), "potential.name: "),
        "lammps-file": (own(), "evil.eam"),
        "lammps-file-newline": (own(files=[f"{evil}\nshell {touch}"]), "shell"),
        "lammps-potential-name": (LAMMPS | {"potential": f"x\nshell {touch}"}, "no potential"),
        "lammps-properties": (LAMMPS | {"properties": [f"shell {touch}"]}, "measures no"),
        "lammps-threads": (LAMMPS | {"threads": f"1\nshell {touch}"}, "threads"),
    }


def _tiers_in_specs(place: Place) -> dict[str, tuple[dict[str, Any], str]]:
    return {
        name: (
            {
                "tiers": [tier],
                "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
                "space": {"elements": ["Ni", "Fe"], "atoms": 16},
            },
            says,
        )
        for name, (tier, says) in _tiers(place).items()
    }


def _specs(place: Place) -> dict[str, tuple[dict[str, Any], str]]:
    touch = place.touch

    def slurm(**more: Any) -> dict[str, Any]:
        return {"execution": {"kind": "slurm", **more}}

    return {
        "dask-address": (
            {"execution": {"kind": "dask", "address": f"tcp://127.0.0.1:{place.port}"}},
            "profiles.NAME.dask.address",
        ),
        "dask-default": ({"execution": {"kind": "dask"}}, "name no Dask scheduler"),
        "slurm-wrap": (slurm(directives=[f"--wrap={touch}"]), "profiles.NAME.slurm.directives"),
        "slurm-partition": (slurm(partition=f"x\n#SBATCH --wrap={touch}"), "slurm.partition"),
        "slurm-account": (slurm(account=f"$({touch})"), "profiles.NAME.slurm.account"),
        "slurm-prologue": (slurm(prologue=[touch]), "'prologue'"),
        "slurm-profile": (slurm(profile=f"x\n{touch}"), "execution.profile"),
        "name-path": ({"name": "../../victim"}, ": name: "),
        "name-shell": ({"name": f"$({touch})"}, ": name: "),
        "model-import-path": ({"model": {"kind": "os:system"}}, "there is no kind"),
        "cache-shell": ({"cache": {"path": touch}}, ": cache"),
        "property-name": ({"objectives": [{"property": touch, "goal": "maximise"}]}, "property"),
    }


def _texts(place: Place) -> dict[str, tuple[str, str]]:
    touch = place.touch
    return {
        "tag-apply": (f"x: !!python/object/apply:os.system ['{touch}']\n", "python/object/apply"),
        "tag-new": (f"x: !!python/object/new:os.system ['{touch}']\n", "python/object/new"),
        "tag-popen": (
            f"x: !!python/object/apply:subprocess.Popen [['touch', '{place.marker}']]\n",
            "python/object/apply",
        ),
        "tag-name": ("x: !!python/name:os.system\n", "python/name"),
        "tag-module": ("x: !!python/module:antigravity\n", "python/module"),
        "tag-own": (f"x: !exec '{touch}'\n", "!exec"),
        "merge-twice": (f"tiers: [{{kind: dft, espresso: {{command: '{touch}'}}}}]\n", "twice"),
    }


def _overrides(place: Place) -> Iterator[Hostile]:
    """Yield a harmless spec whose overrides on the command line are not."""
    path = place.write("plain.yaml", yaml.safe_dump(BASE))
    for key, says in (
        (f"tiers.0.espresso.command={place.touch}", "'espresso'"),
        (f"execution={{kind: dask, address: 'tcp://127.0.0.1:{place.port}'}}", "dask.address"),
        (f"name=!!python/object/apply:os.system ['{place.touch}']", "name"),
    ):
        yield Hostile(f"override: {key[:20]}", (Trial(("check", str(path), "--set", key), says),))


def _checkpoint(place: Place) -> Hostile:
    """Return a spec whose model is to start from a pickle; its check does not look into it."""
    model = {"kind": "ftcp", "start_from": str(place.write("x.pt", place.pickle()))}
    space = {"kind": "structures", "elements": ["Ni", "Fe"]}
    path = place.numbered(yaml.safe_dump(BASE | {"model": model, "space": space}))
    run = path.with_suffix("")
    launch = Trial(("launch", str(path), "--run", str(run)), "x.pt")
    return Hostile(
        "spec: pickled checkpoint", (Trial(("check", str(path)), None), launch), path=run
    )


def _beside(place: Place) -> Hostile:
    """Return a harmless spec in a folder with modules that have names of ours and of Python's."""
    folder = place.folder / "files" / "beside"
    payload = f"import os; os.system({place.touch!r})\n"
    for name in ("sitecustomize", "json", "yaml", "random", "torch", "lammps", "evil", "conftest"):
        place.write(f"beside/{name}.py", payload)
    place.write("beside/alloop/__init__.py", payload)
    place.write("beside/alloop_settings.yaml", f"profiles: {{default: {{vasp: '{place.touch}'}}}}")
    path = place.write("beside/spec.yaml", yaml.safe_dump(BASE))
    structure = place.write("beside/POSCAR", CUBE)
    tier = place.write("beside/tier.yaml", yaml.safe_dump(LAMMPS))
    words = ("measure", str(structure), "--oracle", str(tier))
    trials = (Trial(("check", str(path)), None), Trial(words, None))
    return Hostile("spec: modules beside it", trials, cwd=folder)
