"""What the fuzzer feeds, and with what: specs, structures, tables, potentials, spools, ledgers.

Each target takes one mutated input; whatever it raises but AlloopError is a fault.
"""

import json
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from alloop.campaigns.load import parse_spec, ready_campaigns
from alloop.canonical import canonical_json, sha256
from alloop.errors import AlloopError
from alloop.files.csv_table import read_csv_table
from alloop.files.structure_files import read_structure
from alloop.files.yaml_text import parse_yaml
from alloop.loop.commands.printing.status_json import status_to_json
from alloop.loop.measure.spool import Spool
from alloop.loop.opening import spec_to_json, spec_to_yaml
from alloop.loop.people.requests.table import request_table
from alloop.loop.record.events import (
    AttemptFailed,
    CampaignClosed,
    CampaignOpened,
    Decision,
    Lineage,
    Measured,
    ModelFitted,
    Proposed,
    SessionClosed,
    SessionOpened,
    Stage,
)
from alloop.loop.record.hash_chain import START, entry_hash
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import evaluation_id
from alloop.materials import material_id
from alloop.models.crystal_table import read_crystal_table
from alloop.oracles.base import Cost, FailureKind, Measurement, Status
from alloop.oracles.lammps.options import OwnPotential
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from benchmarks.trust.malformed.case import NI3CR
from benchmarks.trust.malformed.mutations import mutated_bytes, mutated_text, mutated_tree

Target = Callable[[Path, random.Random], bool]
"""Feeds one input made in a folder; returns whether it was taken, and raises what it raises."""

CIFS = (
    NI3CR.to(fmt="cif"),
    """data_hcp
_cell_length_a 2.49(1)
_cell_length_b 2.49
_cell_length_c 4.05
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P 63/m m c'
_symmetry_Int_Tables_number 194
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ni1 0.3333 0.6667 0.25 1
""",
)
POSCARS = (
    NI3CR.to(fmt="poscar"),
    "x\n-44.7\n3 0 0\n0 3 0\n0 0 3\nNi Cr\n3 1\nSelective\nCartesian\n"
    "0 0 0 T T F\n1.5 1.5 0 T T T\n1.5 0 1.5 F F F\n0 1.5 1.5 T T T\n\n0 0 0\n",
)
XYZS = (
    '4\nLattice="3.55 0 0 0 3.55 0 0 0 3.55" Properties=species:S:1:pos:R:3:forces:R:3 '
    'energy=-17.9 stress="0.01 0 0 0 0 0" pbc="T T T"\n'
    "Cr 0 0 0 0 0 0\nNi 0 1.775 1.775 0 0 0\nNi 1.775 0 1.775 0 0 0\nNi 1.775 1.775 0 0 0 0\n",
)
TABLES = (
    'formula,Ni,Cr,bulk_modulus,note\nNi3Cr,0.75,0.25,188.2,a\nNi,1,0,187.6,"b,c"\nCr,0,1,162,\n',
)
SPECS = tuple(
    parse_yaml(path.read_text("utf-8"), where=path.name) for path in ready_campaigns().values()
)
_MEASUREMENT = Measurement.succeeded(
    {"bulk_modulus": 188.2, "c11": 240.0},
    oracle="o",
    fingerprint="f",
    material=NI3CR,
    cost=Cost(calls=1),
    doubts={"c11": "two strains disagree"},
    remarks={"bulk_modulus": "a wider fit decided"},
).to_json()
POTENTIAL = {
    "eam/alloy": "a\nb\nUNITS: metal\n2 Ni Cr\n2 0.1 2 0.1 4.0\n28 58.7 3.52 fcc\n0 0\n0 0\n",
    "sw": "# UNITS: metal\nSi Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333 7.04 0.602 4.0 0.0 0.0\n",
    "meam": "# x\n'Ni' 'fcc' 12 28 58.6 5.08 2.56 1.5 6.0 1.5 3.52 4.45 1.10 1 3.57 1.6 3.7 1 3\n",
}


def spec_tree(folder: Path, rng: random.Random) -> bool:
    """Read a ready campaign with other values, and write it in full."""
    return _spec(mutated_tree(rng.choice(SPECS), rng), folder)


def spec_text(folder: Path, rng: random.Random) -> bool:
    """Read the YAML of a ready campaign with other text."""
    text = str(yaml.safe_dump(rng.choice(SPECS), default_flow_style=rng.random() < 0.3))
    return _spec(parse_yaml(mutated_text(text, rng), where="fuzz"), folder)


def _spec(data: Any, folder: Path) -> bool:
    full = spec_to_json(parse_spec(data, where="fuzz", folder=folder))
    sha256(canonical_json(full))
    spec_to_yaml(full)
    return True


def structure(folder: Path, rng: random.Random) -> bool:
    """Read a structure file and give the material its id."""
    name, seeds = rng.choice((("a.cif", CIFS), ("POSCAR", POSCARS), ("a.xyz", XYZS)))
    text = mutated_text(rng.choice(seeds), rng)
    content = text.encode("utf-8", "surrogatepass")
    (folder / name).write_bytes(mutated_bytes(content, rng) if rng.random() < 0.2 else content)
    read = read_structure(folder / name).structure
    if read.is_ordered and all(read.lattice.pbc):
        try:
            material_id(read)
        except ValueError as error:  # a number that is not finite: measuring refuses it by itself
            if "finite" not in str(error) and "JSON compliant" not in str(error):
                raise
    return True


def table(folder: Path, rng: random.Random) -> bool:
    """Read a table as an oracle, as a data set and as it is."""
    text = mutated_text(rng.choice(TABLES), rng)
    (folder / "t.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    read_csv_table(folder / "t.csv")
    options = TableOptions(
        file=folder / "t.csv", properties={"bulk_modulus": "bulk_modulus"}, ignore=("note",)
    )
    TableOracle(options)
    return True


def crystal_table(folder: Path, rng: random.Random) -> bool:
    """Read a data set of crystals."""
    cell = rng.choice(CIFS).replace('"', "'")
    text = mutated_text(f'material_id,cif,gap,is_augmented\nm,"{cell}",0.5,True\n', rng)
    (folder / "c.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    read_crystal_table(folder / "c.csv", {"band_gap": "gap"})
    return True


def potential(folder: Path, rng: random.Random) -> bool:
    """Read a potential's parameter files."""
    style, text = rng.choice(tuple(POTENTIAL.items()))
    (folder / "p").write_bytes(mutated_bytes(text.encode(), rng))
    files = [folder / "p"] * (2 if style == "meam" else 1)
    elements = ["Si"] if style == "sw" else ["Ni"]
    find_potential(
        OwnPotential(name="mine", pair_style=style, files=files, elements=elements)  # type: ignore[arg-type]
    )
    return True


def measurement(folder: Path, rng: random.Random) -> bool:
    """Read the JSON of a measurement."""
    try:
        text = json.dumps(mutated_tree(_MEASUREMENT, rng))
        Measurement.from_json(json.loads(mutated_text(text, rng) if rng.random() < 0.3 else text))
    # What the readers of spools take for "no measurement".
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return True


def spool(folder: Path, rng: random.Random) -> bool:
    """Load a spooled measurement that its writer, or somebody later, wrote otherwise."""
    own = Spool(folder / "spool", b"the key of this run")
    own.make()
    tree = _MEASUREMENT if rng.random() < 0.3 else mutated_tree(_MEASUREMENT, rng)
    text = json.dumps(tree)
    sealed = mutated_text(text, rng) if rng.random() < 0.2 else text
    own.write("e1", "f", sealed.encode("utf-8", "surrogatepass"))
    if rng.random() < 0.3:
        path = own.path("e1")
        path.write_bytes(mutated_bytes(path.read_bytes(), rng))
    return own.load("e1", "f") is not None


def ledger_bytes(folder: Path, rng: random.Random) -> bool:
    """Open a ledger whose file was damaged, and say where the campaign stands."""
    whole = _whole_ledger(folder)
    run = folder / "damaged"
    run.mkdir(exist_ok=True)
    for stale in run.iterdir():
        stale.unlink()
    (run / LEDGER).write_bytes(mutated_bytes(whole, rng))
    return _state(run)


def ledger_events(folder: Path, rng: random.Random) -> bool:
    """Open a ledger whose events say something else under a chain that holds together."""
    run = folder / "forged"
    run.mkdir(exist_ok=True)
    for stale in run.iterdir():
        stale.unlink()
    (run / LEDGER).write_bytes(_whole_ledger(folder))
    with closing(sqlite3.connect(run / LEDGER)) as connection, connection:
        rows = connection.execute("SELECT seq, time, event FROM events ORDER BY seq").fetchall()
        chosen = rng.randrange(len(rows))
        previous = START
        for place, (seq, time, stored) in enumerate(rows):
            event = stored
            if place == chosen:
                tree = mutated_tree(json.loads(event), rng)
                event = json.dumps(tree, sort_keys=True, separators=(",", ":"))
            hash = entry_hash(seq, time, event, previous)
            connection.execute(
                "UPDATE events SET event = ?, previous = ?, hash = ? WHERE seq = ?",
                (event, previous, hash, seq),
            )
            previous = hash
    return _state(run)


def _state(run: Path) -> bool:
    folder = RunFolder.read(run)
    sha256(json.dumps(status_to_json(folder)))
    request_table(folder.state, folder.state.evaluations)
    return True


_LEDGERS: dict[Path, bytes] = {}


def _whole_ledger(folder: Path) -> bytes:
    """Return the file of a ledger of a few events."""
    if folder not in _LEDGERS:
        run = folder / "whole"
        with Ledger.open(run, writable=True) as ledger:
            ledger.append_together(_events())
        with closing(sqlite3.connect(run / LEDGER)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _LEDGERS[folder] = (run / LEDGER).read_bytes()
    return _LEDGERS[folder]


def _events() -> list[Any]:
    spec = {
        "name": "fuzzed",
        "space": {"elements": ["Ni", "Fe"], "atoms": 16},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    }
    opened = CampaignOpened(
        spec=spec_to_json(parse_spec(spec, where="fuzz")), fingerprints=("f",), versions={}
    )
    ids = [sha256(str(i)) for i in range(3)]
    chosen = [
        Decision(
            candidate=id, formula="Ni8Fe8", chosen=True, reason="", lineage=Lineage(source="random")
        )
        for id in ids
    ]
    proposed = Proposed(round=0, stage=Stage.INITIAL, decisions=tuple(chosen))
    measured = [
        Measured(
            evaluation=evaluation_id(id, "f"),
            candidate=id,
            round=0,
            stage=Stage.INITIAL,
            tier=0,
            oracle="o",
            status=Status.OK,
            properties={"bulk_modulus": 180.0 + i, "energy_per_atom": -4.0},
            fingerprint="f",
        )
        for i, id in enumerate(ids)
    ]
    started = SessionOpened(scheduling=parse_spec(spec, where="fuzz").scheduling())
    attempt = AttemptFailed(
        evaluation=measured[0].evaluation,
        candidate=ids[0],
        round=0,
        stage=Stage.INITIAL,
        tier=0,
        oracle="o",
        attempt=1,
        failure_kind=FailureKind.TIMEOUT,
        failure_message="slow",
    )
    fitted = ModelFitted(
        round=1,
        checkpoint=ids[0],
        n_labelled=3,
        n_unlabelled=0,
        epochs=1,
        seconds=1.0,
        metrics={"loss": 1.0},
    )
    closed = [SessionClosed(reason="interrupted"), CampaignClosed(reason="budget")]
    return [opened, started, proposed, attempt, *measured, fitted, *closed]


TARGETS: Mapping[str, Target] = {
    each.__name__: each
    for each in (
        spec_tree,
        spec_text,
        structure,
        table,
        crystal_table,
        potential,
        measurement,
        spool,
        ledger_bytes,
        ledger_events,
    )
}
"""Targets by name."""


def fed(target: Target, folder: Path, rng: random.Random) -> bool:
    """Return whether a target took its input; a refusal in a sentence is None's business."""
    try:
        return target(folder, rng)
    except AlloopError as error:
        if not str(error).strip():
            raise AssertionError("a refusal without a word") from error
        return False
