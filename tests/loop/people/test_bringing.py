"""What one has already enters a campaign: learnt from, never measured again, and told apart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import write
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.campaigns.start import LabelSource
from alloop.errors import DataError, SpecError
from alloop.loop.choose.known_values import known_values
from alloop.loop.commands.printing.status_table import brought_rows
from alloop.loop.commands.record.explanation import explanation_of
from alloop.loop.controller import Controller
from alloop.loop.people.bringing import bring_labels, labels_at_start, read_sources
from alloop.loop.people.known_labels import labels_from_python
from alloop.loop.record.events import Stage
from alloop.loop.record.verification import digest, verify
from alloop.loop.replay import replay
from alloop.loop.report.page import write_run_report
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.brought import best_brought
from alloop.materials import formula_of, material_id
from alloop.models.lattice.parent import ParentLattice
from tests.loop.flaky import Flaky, calls_of
from tests.loop.small_campaign import SPEC, Watcher, entries_of, run_campaign

SEARCH: dict[str, Any] = {
    "acquisition": {"strategy": "surrogate-bo", "batch": 4},
    "budget": {"initial": 4, "rounds": 1, "measurements": [100]},
    "cache": False,
}
NO_INITIAL = {"budget": SEARCH["budget"] | {"initial": 0}}
FCC = ParentLattice.of_size("fcc", 16)


def orderings(n: int, seed: int = 0, elements: str = "Ni Fe Cr") -> list[Structure]:
    """Return orderings of 16 atoms with random compositions."""
    rng = np.random.default_rng(seed)
    return [FCC.structure(rng.choice(elements.split(), size=16).tolist()) for _ in range(n)]


def modulus(structure: Structure) -> float:
    """Return a label that a surrogate can learn: 100 GPa, and 100 more for pure nickel."""
    return 100 + 100 * float(structure.composition.get_atomic_fraction("Ni"))


def table(
    path: Path, structures: list[Structure], head: str = "bulk_modulus", scale: float = 1.0
) -> Path:
    """Write structures as CIFs with their labels."""
    rows = [f"cif,{head},note"]
    rows += [f'"{s.to(fmt="cif")}",{scale * modulus(s):.8f},x' for s in structures]
    path.write_text("\n".join(rows) + "\n")
    return path


def spec(start: Any, **changes: Any) -> CampaignSpec:
    return parse_spec(SPEC | SEARCH | {"start": start} | changes, where="test")


@pytest.fixture
def oracle(tmp_path: Path) -> Flaky:
    return Flaky(tmp_path / "calls", every=10**9)


def test_labels_of_a_table_are_learnt_from_and_their_materials_never_measured(
    tmp_path: Path, oracle: Flaky
) -> None:
    path = table(tmp_path / "known.csv", orderings(40))
    begun = spec({"labels": str(path)}, **NO_INITIAL)
    state = run_campaign(tmp_path / "run", begun, oracle)
    assert state.closed == "all 1 rounds are done"
    assert (len(state.answers()), len(state.known_answers())) == (4, 44)
    known = [m.properties["bulk_modulus"] for m in known_values(state) if m.stage is Stage.BROUGHT]
    chosen = [d.posterior["bulk_modulus"].mean for d in state.requested[-1].decisions if d.chosen]
    # The search heads for more nickel than nearly all that is known has.
    assert min(chosen) > np.quantile(known, 0.9)
    brought = {label.candidate for event in state.brought for label in event.labels}
    assert len(brought) == 40
    assert not brought & set(calls_of(oracle.calls))
    assert state.cost(0).calls == len(calls_of(oracle.calls)) == 4
    assert verify(tmp_path / "run").ok
    assert replay(entries_of(tmp_path / "run"), RunFolder.read(tmp_path / "run").store, 1).agrees


def test_the_best_brought_and_the_best_measured_are_told_apart(
    tmp_path: Path, oracle: Flaky
) -> None:
    pure = FCC.structure(["Ni"] * 15 + ["Fe"])
    path = table(tmp_path / "known.csv", [*orderings(8), pure])
    state = run_campaign(tmp_path / "run", spec({"labels": str(path)}), oracle)
    best, brought = state.best(), best_brought(state)
    assert best is not None
    assert brought is not None
    assert state.formulas[brought.candidate] == formula_of(pure)
    assert best.candidate in calls_of(oracle.calls)
    (_, counts), (_, shown) = brought_rows(state)
    assert counts == "9 materials: 9 with all values of tier 0"
    assert shown.endswith("bulk_modulus 193.75 GPa")
    explained = explanation_of(state, entries_of(tmp_path / "run"), brought.candidate).to_json()
    assert explained["decisions"] == explained["measurements"] == []
    assert (explained["formula"], explained["lattice"]) == ("Fe1Ni15", "fcc")
    (label,) = explained["brought"]
    assert (label["file"], label["value_of"]) == ("known.csv", 0)
    assert label["properties"] == brought.properties
    page = write_run_report(RunFolder.read(tmp_path / "run")).read_text("utf-8")
    assert "9 materials" in page
    assert "not measured here; the best 193.75 GPa" in page


def test_the_best_that_was_brought_is_promoted_for_the_higher_tiers_value(
    tmp_path: Path, oracle: Flaky
) -> None:
    pure = FCC.structure(["Ni"] * 15 + ["Fe"])
    path = table(tmp_path / "known.csv", [*orderings(8), pure])
    begun = spec(
        {"labels": str(path)},
        tiers=[*SPEC["tiers"], {"kind": "dft", "engine": "chgnet", "promote": 1}],
        budget=SEARCH["budget"] | {"measurements": [100, 1], "rounds": 0},
        promotion={"keep_structure": False},
    )
    second = replace(oracle, calls=tmp_path / "second", version="2")
    with Controller(
        tmp_path / "run", begun, build_oracles=lambda _: [oracle, second], observer=Watcher()
    ) as controller:
        state = controller.run()
    (promoted,) = state.answers(1)
    assert state.formulas[promoted.candidate] == formula_of(pure)
    assert calls_of(second.calls) == [promoted.candidate]
    assert promoted.candidate not in calls_of(oracle.calls)


@pytest.mark.parametrize(
    ("head", "units", "scale"),
    [
        ("bulk_modulus [Mbar]", {}, 0.01),
        ("bulk_modulus (eV/Å^3)", {}, 1 / 160.2176634),
        ("bulk_modulus", {"bulk_modulus": "kbar"}, 10.0),
    ],
)
def test_other_units_are_converted(
    tmp_path: Path, head: str, units: dict[str, str], scale: float
) -> None:
    structures = orderings(3)
    path = table(tmp_path / "known.csv", structures, head, scale)
    brought = labels_at_start(spec({"labels": [{"file": str(path), "units": units}]}))
    (event,) = brought.events
    found = {label.candidate: label.properties["bulk_modulus"] for label in event.labels}
    assert sorted(found.values()) == pytest.approx(sorted(map(modulus, structures)), rel=1e-6)


def test_units_that_do_not_fit_are_refused_with_a_remedy(tmp_path: Path) -> None:
    path = table(tmp_path / "known.csv", orderings(2), "bulk_modulus [eV/atom]")
    with pytest.raises(DataError, match=r"eV/atom is no unit of what is measured in GPa.*GPa"):
        labels_at_start(spec({"labels": str(path)}))


def test_duplicates_that_disagree_are_named_and_none_is_taken_silently(tmp_path: Path) -> None:
    one = FCC.structure(["Ni"] * 8 + ["Fe"] * 8)
    # The same ordering, shifted by half a cell, which is a lattice vector.
    other = one.copy()
    other.translate_sites(range(16), [0.5, 0.0, 0.0])
    rows = ["cif,bulk_modulus"]
    for structure, value in ((one, 180.0), (other, 190.0)):
        rows.append(f'"{structure.to(fmt="cif")}",{value}')
    path = tmp_path / "known.csv"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"180.*line.*190.*duplicates: first"):
        labels_at_start(spec({"labels": str(path)}))
    for how, value in (("first", 180.0), ("mean", 185.0)):
        source = {"file": str(path), "duplicates": how}
        (event,) = labels_at_start(spec({"labels": [source]})).events
        assert [label.properties for label in event.labels] == [{"bulk_modulus": value}]


def test_materials_outside_the_space_are_learnt_from_or_kept_and_never_proposed(
    tmp_path: Path, oracle: Flaky
) -> None:
    rich = FCC.structure(["Ni"] * 15 + ["Fe"])
    cobalt = FCC.structure(["Ni"] * 8 + ["Co"] * 8)
    path = table(tmp_path / "known.csv", [*orderings(20), rich, cobalt])
    space = {"elements": ["Ni", "Fe", "Cr"], "atoms": 16, "fractions": {"Ni": [0.0, 0.5]}}
    begun = spec({"labels": str(path)}, space=space)
    remarks = labels_at_start(begun).remarks
    state = run_campaign(tmp_path / "run", begun, oracle)
    uses = {label.candidate: label for event in state.brought for label in event.labels}
    by_formula = {label.formula: label for label in uses.values()}
    too_rich, with_cobalt = by_formula[formula_of(rich)], by_formula[formula_of(cobalt)]
    assert (too_rich.use, with_cobalt.use) == ("learning", "kept")
    assert "Co" in with_cobalt.outside
    learnt = {known.candidate for known in known_values(state)}
    assert too_rich.candidate in learnt
    assert with_cobalt.candidate not in learnt
    assert any("learnt from, never proposed" in remark for remark in remarks)
    chosen = {d.candidate for p in state.requested for d in p.decisions if d.chosen}
    outside = {id for id, label in uses.items() if label.use != "space"}
    assert outside
    assert not chosen & outside
    best = best_brought(state)
    assert best is not None
    assert best.candidate not in outside


def test_another_runs_labels_count_as_the_tiers_own_by_fingerprint(
    tmp_path: Path, oracle: Flaky
) -> None:
    earlier = run_campaign(tmp_path / "earlier", parse_spec(SPEC | SEARCH, where="test"), oracle)
    before = calls_of(oracle.calls)
    later = spec({"labels": str(tmp_path / "earlier")}, seed=6, **NO_INITIAL)
    state = run_campaign(tmp_path / "later", later, oracle)
    (event,) = state.brought
    assert (event.value_of, event.fingerprint) == (0, oracle.fingerprint())
    assert event.checksum == RunFolder.read(tmp_path / "earlier").head
    brought = {label.candidate: label.properties for label in event.labels}
    assert brought == {m.candidate: m.properties for m in earlier.answers()}
    assert not set(brought) & set(calls_of(oracle.calls)[len(before) :])


def test_another_oracles_labels_are_another_fidelity_until_pairs_tell_the_difference(
    tmp_path: Path, oracle: Flaky
) -> None:
    earlier = run_campaign(
        tmp_path / "earlier",
        parse_spec(SPEC | SEARCH | {"budget": {"initial": 20, "rounds": 0}}, where="test"),
        oracle,
    )
    other = replace(oracle, calls=tmp_path / "other", version="2")
    budget = {"initial": 12, "rounds": 1, "measurements": [100]}
    begun = spec({"labels": str(tmp_path / "earlier")}, seed=6, budget=budget)
    state = run_campaign(tmp_path / "later", begun, other)
    (event,) = state.brought
    assert event.value_of is None
    (first, _) = state.requested
    again = [d for d in first.decisions if d.chosen and d.lineage.source == "brought"]
    assert len(again) == 6  # half of the initial candidates are pairs
    known = {each.candidate: each for each in known_values(state)}
    carried = {id: each for id, each in known.items() if each.stage is Stage.BROUGHT}
    assert set(carried) == {m.candidate for m in earlier.answers()} - set(calls_of(other.calls))
    # Both oracles give the same numbers here, so what is carried over is what was brought.
    for id, each in carried.items():
        said = next(m for m in earlier.answers() if m.candidate == id)
        assert each.properties["bulk_modulus"] == pytest.approx(
            said.properties["bulk_modulus"], abs=0.02
        )
    with pytest.raises(SpecError, match="too few to learn from"):
        run_campaign(
            tmp_path / "none", spec({"labels": str(tmp_path / "earlier")}, **NO_INITIAL), other
        )


def test_extended_xyz_holds_labels_gaps_and_unlabelled_structures(tmp_path: Path) -> None:
    frames = []
    for place, structure in enumerate(orderings(4)):
        atoms = AseAtomsAdaptor.get_atoms(structure)
        atoms.info = {"doi": f"paper {place}"}
        if place != 1:
            atoms.info["bulk_modulus"] = modulus(structure) if place != 2 else float("nan")
            atoms.info["volume_per_atom"] = 11.5
        frames.append(atoms)
    path = tmp_path / "known.extxyz"
    write(path, frames, format="extxyz")
    (event,) = labels_at_start(spec({"labels": [{"file": str(path), "source": "doi"}]})).events
    known = [set(label.properties) for label in event.labels]
    assert known == [
        {"bulk_modulus", "volume_per_atom"},
        set(),
        {"volume_per_atom"},
        {"bulk_modulus", "volume_per_atom"},
    ]
    assert [label.source for label in event.labels] == [f"paper {n}" for n in range(4)]


def test_compositions_are_brought_as_formulas(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("formula,power_factor\nAl0.5CoCrFeNi,1.5\nCoNi,2.5\nCoCu,3.5\n")
    begun = parse_spec(
        {
            "name": "lab",
            "space": {"kind": "compositions", "elements": ["Al", "Co", "Cr", "Fe", "Ni"]},
            "objectives": [{"property": "power_factor", "goal": "maximise"}],
            "tiers": [{"kind": "person", "properties": ["power_factor"]}],
            "budget": {"initial": 2, "rounds": 1, "measurements": [10]},
            "start": {"labels": str(path)},
        },
        where="test",
    )
    (event,) = labels_at_start(begun).events
    assert [label.use for label in event.labels] == ["space", "space", "kept"]
    assert event.labels[0].candidate == material_id(Composition("Al0.5CoCrFeNi"))


def test_formulas_are_refused_where_a_material_is_more(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("formula,bulk_modulus\nNi3Fe,180\n")
    with pytest.raises(DataError, match=r"more than its composition.*column called structure"):
        labels_at_start(spec({"labels": str(path)}))


def test_labels_are_brought_while_a_campaign_runs_and_never_twice(
    tmp_path: Path, oracle: Flaky
) -> None:
    run = tmp_path / "run"
    begun = parse_spec(SPEC | SEARCH, where="test")
    state = run_campaign(run, begun, oracle)
    structures = orderings(5)
    values = {"bulk_modulus": [modulus(s) for s in structures[:4]] + [None]}
    known = labels_from_python(structures, values, units=begun.units())
    done = bring_labels(run, [known], who="A. Person", why="our own calculations")
    assert (done.n_labelled, done.n_unlabelled) == (4, 1)
    before = digest(entries_of(run))
    assert bring_labels(run, [known]).events == ()
    folder = RunFolder.read(run)
    assert digest(folder.entries) == before
    assert len(folder.state.known_answers()) == len(state.answers()) + 4
    (event,) = folder.state.brought
    assert (event.who, event.why) == ("A. Person", "our own calculations")
    values["bulk_modulus"][0] = 5.0
    with pytest.raises(DataError, match="brought before"):
        bring_labels(run, [labels_from_python(structures, values, units=begun.units())])


def test_a_space_that_no_prototype_fills_is_opened_by_structures_that_are_brought(
    tmp_path: Path, oracle: Flaky
) -> None:
    folder = tmp_path / "structures"
    folder.mkdir()
    cells = [("Sr", "Ti"), ("Ca", "Ti"), ("Ba", "Ti"), ("Sr", "Zr"), ("Ca", "Zr"), ("Ba", "Zr")]
    for large, small in cells:
        oxynitride = Structure(
            Lattice.cubic(4.0),
            [large, small, "O", "O", "N"],
            [[0] * 3, [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
        )
        oxynitride.to(str(folder / f"{large}{small}O2N.cif"))
    # No prototype of so few atoms has four elements.
    metals = ["Sr", "Ca", "Ba", "Ti", "Zr", "Hf"]
    space = {
        "kind": "structures",
        "elements": [*metals, "O", "N"],
        "fractions": {"O": [0.4, 0.4], "N": [0.2, 0.2], **{el: [0, 0.2] for el in metals}},
        "max_atoms": 5,
    }
    begun = spec({"labels": str(folder)}, space=space, budget=SEARCH["budget"] | {"initial": 6})
    state = run_campaign(tmp_path / "run", begun, oracle)
    first, second = state.requested
    assert [d.lineage.source for d in first.decisions if d.chosen] == ["brought"] * 6
    chosen = [d.formula for d in second.decisions if d.chosen]
    assert chosen
    assert all("O2" in formula and "N1" in formula for formula in chosen)
    assert not {d.candidate for d in second.decisions if d.chosen} & {
        d.candidate for d in first.decisions
    }


def test_a_file_of_structures_is_read_as_unlabelled(tmp_path: Path) -> None:
    folder = tmp_path / "structures"
    folder.mkdir()
    for place, structure in enumerate(orderings(3)):
        structure.to(str(folder / f"{place}.cif"))
    (known,) = read_sources([LabelSource(file=folder)], spec(None))
    assert [label.properties for label in known.labels] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("initial", "start", "problem"),
    [
        (0, None, "0 candidates are too few"),
        (1, {"labels": "known.csv"}, "1 candidates are too few"),
        (4, {"labels": [{"file": "known.csv", "tier": 3}]}, "there is no tier 3"),
        (4, {"labels": [{"file": "known.csv", "units": {"hardness": "GPa"}}]}, "unknown property"),
    ],
)
def test_a_start_that_cannot_be_is_refused_by_its_key(
    initial: int, start: Any, problem: str
) -> None:
    with pytest.raises(SpecError, match=problem):
        spec(start, budget=SEARCH["budget"] | {"initial": initial})
