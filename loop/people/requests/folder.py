"""The folder of requests: each asked structure as CIF and POSCAR, the table, and what is asked in
words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from pymatgen.core import Structure

from alloop.durable import make_folder, write_durably
from alloop.loop.people.requests.table import FAILED, INSTEAD, REQUESTS
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.materials import Material
from alloop.oracles.options import AsksPeople

FOLDER = "requests"
"""Name of the folder in the run's."""
README = "README.txt"
SHORT_ID = 12
"""Digits of a candidate's id in the table and in the files' names."""
_OWN_FILE = re.compile(r"[0-9a-f]{12}\.(cif|POSCAR)")


def write_request_folder(
    run: Path, state: CampaignState, evaluations: Sequence[Evaluation]
) -> None:
    """Write structures and words into RUN/requests/, and remove the structures in it that are not
    asked for any more.

    Args:
        run: the run's folder.
        state: of its campaign.
        evaluations: what people are asked for.

    Raises:
        RunError: if it cannot be written.
        LedgerError: if a structure is missing from the run.
    """
    folder = run / FOLDER
    make_folder(folder)
    store = ArtifactStore.of_run(run)
    materials = {e.candidate: store.get_material(e.candidate) for e in evaluations}
    files: dict[str, bytes] = {}
    asked: set[str] = set()
    for candidate, material in materials.items():
        if isinstance(material, Structure):
            names = {f"{candidate[:SHORT_ID]}.{kind}" for kind in ("cif", "POSCAR")}
            asked |= names
            # What is there already is the same: a candidate is what its id says.
            if not all((folder / name).is_file() for name in names):
                files |= structure_files(candidate, material)
    for path in folder.iterdir():
        if _OWN_FILE.fullmatch(path.name) and path.name not in asked:
            path.unlink()
    files[README] = words_of(state, evaluations, materials).encode()
    for name, content in files.items():
        if not _holds(folder / name, content):
            write_durably(folder / name, content)


def structure_files(candidate: str, structure: Structure) -> dict[str, bytes]:
    """Return a structure as CIF and POSCAR, by the files' names."""
    from pymatgen.io.cif import CifWriter  # noqa: PLC0415 (SciPy)
    from pymatgen.io.vasp import Poscar  # noqa: PLC0415

    name = candidate[:SHORT_ID]
    comment = f"{structure.composition.alphabetical_formula}, candidate {name}"
    poscar = Poscar(structure.get_sorted_structure(), comment=comment)
    return {
        f"{name}.cif": str(CifWriter(structure)).encode(),
        f"{name}.POSCAR": poscar.get_str(significant_figures=10).encode(),
    }


def words_of(
    state: CampaignState,
    evaluations: Sequence[Evaluation],
    materials: Mapping[str, Material],
) -> str:
    """Return what is asked of people, in words."""
    parts = [f"The campaign {state.spec.name} waits for {_count(len(evaluations), 'measurement')}."]
    for tier, asked in groupby(sorted(evaluations, key=lambda e: e.tier), key=lambda e: e.tier):
        parts += ["", *_tier_lines(state, tier, list(asked), materials)]
    of_tier = " tier=N" if len(state.tiers_of_people) > 1 else ""
    parts += [
        "",
        "How to answer",
        f"  all at once    fill in {REQUESTS}, then: alloop label RUN --file {REQUESTS}",
        f"  one            alloop label RUN ID PROPERTY=VALUE{of_tier}",
        f'  no value       alloop label RUN ID {FAILED}="why": it counts as a failure, and is not '
        "asked for again",
        f"  another made   alloop label RUN ID {INSTEAD}=FORMULA-OR-FILE PROPERTY=VALUE, or a "
        f"column {INSTEAD} in the table: the value is recorded for that one, and this one stays "
        "asked for",
        '  never          alloop veto RUN ID --why "…": it is withdrawn',
        "A part of the rows, a part of a row's values, and late answers are all taken.",
    ]
    return "\n".join(parts) + "\n"


def _tier_lines(
    state: CampaignState,
    tier: int,
    evaluations: Sequence[Evaluation],
    materials: Mapping[str, Material],
) -> Iterator[str]:
    options = state.spec.tiers[tier]
    yield f"Tier {tier} ({options.kind}) is to measure of each:"
    for name, unit in sorted(options.measures().items()):
        yield f"  {name} in {unit}" if unit != "–" else f"  {name}, a number without a unit"
    if isinstance(options, AsksPeople) and options.protocol:
        yield f"by this protocol: {options.protocol}"
    if isinstance(options, AsksPeople) and len(evaluations) > options.n_required(len(evaluations)):
        n = options.n_required(len(evaluations))
        yield f"The next round begins when {n} of a batch of {len(evaluations)} are answered."
    for e in evaluations:
        decision = state.decisions[e.candidate]
        yield ""
        yield f"  {e.candidate[:SHORT_ID]}  {decision.lattice or ''} {decision.formula}".rstrip()
        material = materials[e.candidate]
        if isinstance(material, Structure):
            name = e.candidate[:SHORT_ID]
            yield f"    {_count(len(material), 'atom')} in {name}.cif and {name}.POSCAR"
        yield f"    asked for in round {e.round}: {_one_line(decision.reason)}"
        yield from _expected_lines(decision, state)
        if known := state.partial.get(e.id):
            values = ", ".join(f"{n} {v:g}" for n, v in sorted(known.properties.items()))
            yield f"    known already: {values}"


def _expected_lines(decision: Decision, state: CampaignState) -> Iterator[str]:
    units = state.spec.units()
    for name, posterior in decision.posterior.items():
        yield f"    expected: {name} {posterior.mean:.4g} ± {posterior.std:.2g} {units[name]}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content
