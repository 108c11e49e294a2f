from dataclasses import dataclass

import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Lattice, Structure

from alloop.canonical import sha256
from alloop.materials import Material
from alloop.oracles.base import FailureKind, Measurement
from alloop.testing.cells import equivalent_cells
from alloop.testing.oracles import check_oracle

CRYSTAL = Structure(Lattice.tetragonal(2.6, 3.5), ["Ni", "Fe"], [[0.0] * 3, [0.5] * 3])


@dataclass(frozen=True)
class Scale:
    """Weighs a crystal per atom, or by mistake a whole cell, or along x."""

    what: str = "atom"
    name: str = "scale"

    def fingerprint(self) -> str:
        return sha256(self.what)

    def measure(self, material: Material) -> Measurement:
        if not isinstance(material, Structure):
            return Measurement.failed(
                FailureKind.UNSUPPORTED, "no sites", oracle=self.name, fingerprint=sha256(self.what)
            )
        shares = {"atom": len(material), "cell": 1.0, "x": abs(material.lattice.matrix[0, 0])}
        return Measurement.succeeded(
            {"volume_per_atom": material.volume / shares[self.what]},
            oracle=self.name,
            fingerprint=self.fingerprint(),
            material=material,
        )


def test_all_cells_are_of_one_crystal() -> None:
    cells = equivalent_cells(CRYSTAL)
    matcher = StructureMatcher(scale=False, primitive_cell=True)
    assert all(matcher.fit(CRYSTAL, cell) for cell in cells.values())
    assert len(cells["repeated"]) == 2 * len(CRYSTAL)
    assert len({cell.lattice.matrix.round(3).tobytes() for cell in cells.values()}) >= 4


def test_what_depends_on_the_cell_is_noticed() -> None:
    check_oracle(Scale(), CRYSTAL, [Composition("Ni")])
    for what in ("cell", "x"):
        with pytest.raises(AssertionError, match=r"do not depend on the cell.*volume_per_atom"):
            check_oracle(Scale(what), CRYSTAL, [Composition("Ni")])
