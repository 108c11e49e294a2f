"""A chain of oracles measures as one."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pymatgen.core import Composition, Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.materials import Material
from alloop.oracles.base import Cost, FailureKind, Measurement
from alloop.oracles.chain.options import ChainOptions
from alloop.oracles.chain.oracle import ChainOracle
from alloop.testing.oracles import check_oracle

NICKEL = Structure(Lattice.cubic(3.0), ["Ni"], [[0, 0, 0]])


class Stretches:
    """Relaxes every cell to 4 Å."""

    name = "stretches"

    def fingerprint(self) -> str:
        return "a" * 64

    def measure(self, material: Material) -> Measurement:
        names = {"oracle": self.name, "fingerprint": self.fingerprint()}
        if not isinstance(material, Structure):
            return Measurement.failed(
                FailureKind.UNSUPPORTED, "no sites", cost=Cost(1, 2.0), **names
            )
        relaxed = Structure(Lattice.cubic(4.0), material.species, material.frac_coords)
        energy = {"energy_per_atom": -1.0, "density": 9.0}
        remark = {"density": "as relaxed"}
        return Measurement.succeeded(
            energy, material=relaxed, cost=Cost(1, 2.0, 0.5), remarks=remark, **names
        )


class Scores:
    """A score that is the cell's length: it says which cell was asked about."""

    name = "scores"

    def fingerprint(self) -> str:
        return "b" * 64

    def measure(self, material: Material) -> Measurement:
        assert isinstance(material, Structure)
        values = {"synthesizability": material.lattice.a, "density": 8.0}
        return Measurement.succeeded(values, oracle=self.name, fingerprint=self.fingerprint())


def test_each_part_is_asked_about_what_the_one_before_relaxed() -> None:
    chain = ChainOracle((Stretches(), Scores()))
    check_oracle(chain, NICKEL, [Composition("Ni")])
    measured = chain.measure(NICKEL)
    expected = {"energy_per_atom": -1.0, "synthesizability": 4.0, "density": 8.0}
    assert measured.properties == pytest.approx(expected)
    assert isinstance(measured.material, Structure)
    assert measured.material.lattice.a == pytest.approx(4.0)
    assert measured.cost == Cost(1, 2.0, 0.5)
    assert measured.remarks == {"density": "as relaxed"}
    failed = chain.measure(Composition("Ni"))
    assert failed.failure is not None
    assert failed.failure.message == "stretches: no sites"
    assert failed.cost == Cost(1, 2.0)
    assert ChainOracle((Scores(), Stretches())).fingerprint() != chain.fingerprint()
    assert ChainOracle((Scores(), Scores())).measure(NICKEL).cost == Cost()  # the worker settles it


def test_a_spec_names_the_parts_as_it_names_tiers(tmp_path: Path) -> None:
    table = tmp_path / "gaps.csv"
    cif = NICKEL.to(fmt="cif")
    table.write_text(f'cif,gap\n"{cif}",1.5\n', encoding="utf-8")
    parts = [
        {"kind": "mlip", "model": "chgnet"},
        {
            "kind": "table",
            "file": "gaps.csv",  # beside the campaign's own file
            "structure": "cif",
            "match": "structure",
            "properties": {"band_gap": "gap"},
        },
    ]
    spec = parse_spec(
        {
            "name": "two",
            "space": {"kind": "structures", "elements": ["Ni"], "max_atoms": 1},
            "objectives": [{"property": "band_gap", "goal": "maximise"}],
            "constraints": [{"property": "formation_energy_per_atom", "max": 0.1}],
            "tiers": [{"kind": "chain", "parts": parts}],
            "budget": {"measurements": [64]},
        },
        where="here",
        folder=tmp_path,
    )
    (chain,) = spec.tiers
    assert isinstance(chain, ChainOptions)
    assert {"band_gap", "formation_energy_per_atom"} <= chain.measures().keys()
    assert chain.timeout == 660  # of a potential and of a table
    assert not chain.starts_programs()
    assert chain.spaces() == ("decorations", "structures")
    again = ChainOptions.model_validate(chain.model_dump(mode="json"))
    assert again == chain
    assert " then table gaps.csv" in chain.build(("Ni",)).name


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"kind": "person", "properties": ["band_gap"], "protocol": "look"}, "waits for people"),
        ({"kind": "mlip", "workers": 2}, "workers of a part does nothing"),
        ({"kind": "waits"}, "there is no kind 'waits'"),
        ({"model": "chgnet"}, "with kind"),
    ],
)
def test_what_cannot_be_a_part_is_said(part: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ChainOptions.model_validate({"parts": [{"kind": "mlip"}, part]})
    with pytest.raises(ValidationError, match="at least 2"):
        ChainOptions.model_validate({"parts": [{"kind": "mlip"}]})
