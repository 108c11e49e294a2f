"""A campaign that cannot be meant is refused, naming file, key path, value and remedy."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alloop.campaigns.load import load_spec, parse_spec, ready_campaigns
from alloop.errors import SpecError
from alloop.oracles.table.options import TableOptions

SIXTEENTHS = {
    "elements": ["Ni", "Fe", "Cr"],
    "fractions": {el: [0.26, 0.34] for el in ("Ni", "Fe", "Cr")},
    "atoms": 16,
}
MINIMAL = {
    "name": "small",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


def changed(path: str, value: object) -> dict[str, object]:
    """Return the minimal campaign with one place changed."""
    data = yaml.safe_load(yaml.safe_dump(MINIMAL))
    *parents, last = path.split(".")
    node = data
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    node[last] = value
    return data


def test_the_minimal_campaign_has_only_four_keys() -> None:
    spec = parse_spec(MINIMAL, where="test")
    assert spec.budget.rounds > 0
    assert spec.space.count_bounds() == {"Ni": (0, 54), "Fe": (0, 54)}


@pytest.mark.parametrize("name", sorted(ready_campaigns()))
def test_ready_campaigns_are_valid_and_named_as_their_file(name: str) -> None:
    assert load_spec(name).name == name


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("budget.initail", 3, "budget.initail: unknown key 'initail' with the value 3. Did you"),
        ("space.elements", ["Ni", "Xx"], "'Xx' is not a chemical element"),
        ("space.elements", ["Ni", "Ni"], "names one twice"),
        ("space.fractions", {"Cr": [0, 1]}, "bounds Cr, which elements does not list"),
        ("space.fractions", {"Ni": [10, 60]}, "fractions, not percent"),
        ("space.fractions", {"Ni": [0.7, 0.8], "Fe": [0.5, 0.6]}, "1.2 at least and 1.4 at most"),
        ("space", {"elements": ["Ni"], "fractions": {"Ni": [0, 0.9]}}, "0.9 at most, never to one"),
        ("space", SIXTEENTHS, "the fractions allow 15 to 15 atoms, never 16"),
        ("space.kind", "alloys", "space.kind: there is no kind 'alloys'"),
        ("space", {"kind": "structures", "elements": ["Ni"], "atoms": 16}, "unknown key 'atoms'"),
        ("space", {"kind": "compositions", "elements": ["Ni"], "resolution": -1}, "resolution"),
        ("space", {"kind": "compositions", "elements": ["Ni"], "resolution": 1}, "resolution"),
        (
            "space",
            {"kind": "compositions", "elements": ["Ni", "Fe"], "min_elements": 3},
            "alloys of 3 to 2 elements cannot be made of 2 elements",
        ),
        (
            "space",
            {
                "kind": "compositions",
                "elements": ["Ni", "Fe"],
                "fractions": {"Ni": [0.1, 1], "Fe": [0.1, 1]},
                "max_elements": 1,
            },
            "2 of which have a lowest fraction",
        ),
        ("model.kind", "ftcp", "the model ftcp learns structures, not decorations"),
        ("space.fractions", {"Ni": [0.501, 0.502]}, "no whole number of Ni atoms out of 54"),
        ("space.atoms", 53, "53 atoms do not fill"),
        ("objectives", [], "objectives"),
        ("objectives", [{"property": "hardness", "goal": "maximise"}], "unknown property"),
        (
            "objectives",
            [{"property": "bulk_modulus", "goal": "maximise", "unit": "Pa"}],
            "bulk_modulus is in GPa, not in 'Pa'",
        ),
        (
            "objectives",
            [{"property": "bulk_modulus", "goal": "window", "window": [3, 2]}],
            "is empty",
        ),
        ("objectives", [{"property": "bulk_modulus", "goal": "window"}], "window"),
        ("constraints", [{"property": "band_gap"}], "give min, max or both"),
        ("constraints", [{"property": "band_gap", "min": 2, "max": 1}], "nothing can satisfy"),
        ("budget.wall_time", 5, "write it like 90 s, 5 min"),
        ("budget.measurements", [600, 3], "2 totals for 1 tiers"),
        ("budget.measurements", [10], "initial (64) is more than all measurements (10)"),
        ("name", "../elsewhere", "name"),
        ("name", "a/b", "name"),
        ("tiers", [{"kind": "lammps"}], "tiers.0.potential: this key is missing"),
        ("tiers", [{"kind": "abacus"}], "tiers.0"),
        ("tiers.0.promote", 3, "no tier below"),
        (
            "objectives",
            [{"property": "band_gap", "goal": "maximise"}],
            "tiers.0 (lammps) does not measure band_gap; as it is set, it measures bulk_modulus",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(path: str, value: object, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(changed(path, value), where="file.yaml")
    message = str(caught.value)
    assert message.startswith("file.yaml")
    assert says in message
    assert "\n" not in message


def test_an_override_is_read_as_yaml_and_laid_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    spec = load_spec(path, ["budget.rounds=2", "tiers.0.timeout=7", "space.lattices=[bcc]"])
    assert (spec.budget.rounds, spec.tiers[0].timeout, spec.space.lattices) == (2, 7.0, ("bcc",))


@pytest.mark.parametrize("override", ["budget.rounds", "tiers.7.potential=x", "name.x=1", "=3"])
def test_an_override_without_a_place_or_value_is_refused(tmp_path: Path, override: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    with pytest.raises(SpecError, match="--set"):
        load_spec(path, [override])


@pytest.mark.parametrize(
    "text",
    [
        "name: [",
        "- a list",
        "",
        "name: a\nname: b\n",
        "!!python/object/apply:os.system ['true']",
        "a: &a [*a]",
    ],
)
def test_a_file_that_is_no_campaign_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"c\.yaml"):
        load_spec(path)


def test_an_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(SpecError, match="Did you mean nifecr-bulk-modulus"):
        load_spec("nifecr-bulk-moduls")


def test_the_full_form_reads_back_to_the_same_spec() -> None:
    spec = load_spec("nifecr-bulk-modulus")
    assert parse_spec(spec.model_dump(mode="json"), where="full form") == spec


def test_reading_campaigns_loads_neither_torch_nor_simulators() -> None:
    code = (
        "import sys, alloop.campaigns.load as c; c.load_spec('nifecr-bulk-modulus');"
        "print(sorted({'torch', 'lammps', 'atomate2', 'jobflow', 'botorch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(("space", "model"), [("decorations", "lattice"), ("structures", "ftcp")])
def test_each_space_has_its_usual_model(space: str, model: str) -> None:
    data = changed("space.kind", space)
    assert parse_spec(data, where="test").model.kind == model
    data["model"] = {"typo": 1}
    with pytest.raises(SpecError, match=r"model.typo: unknown key 'typo'"):
        parse_spec(data, where="test")


def test_a_space_that_is_wrong_is_the_only_thing_complained_of() -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(changed("space.fractions", {"Ni": [0.7, 0.8], "Fe": [0.5, 0.6]}), where="a.yaml")
    assert str(caught.value).startswith("a.yaml: space: the fractions sum")
    assert "more)" not in str(caught.value)


def test_crystals_cannot_be_measured_where_there_are_only_compositions() -> None:
    with pytest.raises(SpecError, match=r"lammps. measures decorations and structures, not comp"):
        parse_spec(changed("space.kind", "compositions"), where="test")


@pytest.mark.parametrize("space", [{"kind": "structures"}, {"lattices": ["bcc"]}])
def test_a_phase_is_told_only_where_there_are_two(space: dict[str, object]) -> None:
    data = changed("model", {"kind": "pcdvae"})
    data["space"] = {"elements": ["Ni", "Fe", "Cr"], **space}
    with pytest.raises(SpecError, match=r"set model\.phase to false"):
        parse_spec(data, where="test")
    data["model"] = {"kind": "pcdvae", "phase": False}
    assert parse_spec(data, where="test").model.kind == "pcdvae"


def test_a_tables_file_is_found_beside_the_campaign(tmp_path: Path) -> None:
    table = "{kind: table, file: known.csv, properties: {bulk_modulus: B}}"
    (tmp_path / "campaign.yaml").write_text(
        "name: known\nspace: {elements: [Ni, Fe]}\n"
        "objectives: [{property: bulk_modulus, goal: maximise}]\n"
        f"tiers: [{table}]\n"
    )
    (tier,) = load_spec(tmp_path / "campaign.yaml").tiers
    assert isinstance(tier, TableOptions)
    assert tier.file == tmp_path / "known.csv"


def test_a_tier_that_measures_an_unknown_property_is_refused(tmp_path: Path) -> None:
    table = {"kind": "table", "file": "known.csv", "properties": {"bulk_modulus": "B", "hue": "H"}}
    spec = {
        "name": "known",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [table],
    }
    with pytest.raises(SpecError, match="unknown property 'hue'"):
        parse_spec(spec, where="here")


def test_compositions_are_learnt_by_the_dvae_unless_said_otherwise() -> None:
    spec = {
        "name": "alloys",
        "space": {"kind": "compositions", "elements": ["Ni", "Fe", "Cr"]},
        "objectives": [{"property": "single_phase_probability", "goal": "maximise"}],
        "tiers": [{"kind": "person", "properties": ["single_phase_probability"]}],
    }
    assert parse_spec(spec, where="here").model.kind == "dvae"
    with pytest.raises(SpecError, match="the model lattice learns decorations, not compositions"):
        parse_spec(spec | {"model": {"kind": "lattice"}}, where="here")


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ({"properties": []}, "properties"),
        ({"properties": ["density", "density"]}, "names one twice"),
        ({"properties": ["density"], "quorum": 0}, "quorum"),
        ({"properties": ["density"], "quorum": 1.1}, "quorum"),
        ({"properties": ["hue"]}, "unknown property 'hue'"),
        ({"properties": ["density"]}, "does not measure bulk_modulus"),
    ],
)
def test_what_people_cannot_be_asked_is_refused(person: dict[str, object], message: str) -> None:
    spec = {
        "name": "lab",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [{"kind": "person", **person}],
    }
    with pytest.raises(SpecError, match=message):
        parse_spec(spec, where="here")


@pytest.mark.parametrize("where", ["key", "value"])
def test_half_of_a_surrogate_pair_is_refused_in_words(where: str) -> None:
    half = "\ud800"
    extra = {half: 1} if where == "key" else {"nmae": [half]}
    with pytest.raises(SpecError, match="is not UTF-8") as refusal:
        parse_spec({"name": "x", "objectives": []} | extra, where="a.yaml")
    str(refusal.value).encode()
