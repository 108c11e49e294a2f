import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.models.pcdvae.table import read_table

DATA = Path(os.environ.get("ALLOOP_DATA", Path(__file__).parents[4] / "shared" / "data"))


def write(path: Path, cifs: list[str | None], **columns: list[object]) -> Path:
    pd.DataFrame({"cif": cifs, **columns}).to_csv(path)
    return path


def test_rows_that_cannot_be_read_are_named(
    tmp_path: Path, triclinic: Structure, decorated: Callable[..., Structure]
) -> None:
    half = Structure(Lattice.cubic(3), [{"Ni": 0.5, "Fe": 0.5}, "Cr"], [[0] * 3, [0.5] * 3])
    single = Structure(Lattice.cubic(3), ["Ni"], [[0] * 3])
    close = Structure(Lattice.cubic(4), ["Ni", "Fe"], [[0] * 3, [0, 0, 0.05]])
    cifs = [s.to(fmt="cif") for s in (triclinic, half, single, close)]
    path = write(
        tmp_path / "table.csv",
        [*cifs, "no cif at all", None, decorated().to(fmt="cif")],
        energy=[1.0, 2, 3, 4, 5, 6, "unknown"],
    )
    table = read_table(path, {"energy_per_atom": "energy"})
    assert table.rows == (0, 6)
    assert [bad.row for bad in table.refused] == [1, 2, 3, 4, 5]
    reasons = [bad.reason for bad in table.refused]
    for reason, words in zip(
        reasons,
        ("partly occupied", "at least two atoms", "overlap", "cannot be read", "empty"),
        strict=True,
    ):
        assert words in reason
    assert table.data.labels[0] == 1.0
    assert np.isnan(table.data.labels[1]).all()
    assert "2 crystals read, 5 rows refused" in table.summary()
    # Writing a CIF sorts the sites.
    distances = [np.sort(s.distance_matrix.ravel()) for s in (table.data.materials[0], triclinic)]
    assert np.allclose(*distances, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "no column cif"), ("", "no readable table"), ("cif\nnothing\n", "no row is")],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(MaterialError, match=message):
        read_table(path, {})
    with pytest.raises(MaterialError, match="no readable table"):
        read_table(tmp_path / "absent.csv", {})


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no public data sets in {DATA}")
@pytest.mark.parametrize(
    ("name", "column", "atoms"), [("perov_5", "heat_all", 5), ("carbon_24", "energy_per_atom", 24)]
)
def test_public_tables_can_be_read(name: str, column: str, atoms: int, tmp_path: Path) -> None:
    """Some rows, because pymatgen takes a while for all."""
    some = pd.read_csv(DATA / name / "val.csv").iloc[:25]
    some.to_csv(tmp_path / "some.csv")
    table = read_table(tmp_path / "some.csv", {"energy_per_atom": column})
    assert not table.refused
    assert np.allclose(table.data.labels[:, 0], some[column])
    assert max(len(material) for material in table.data.materials) <= atoms


def test_rows_of_local_search_are_known_by_their_column(
    tmp_path: Path, triclinic: Structure
) -> None:
    cif = triclinic.to(fmt="cif")
    path = write(tmp_path / "table.csv", [cif, "bad", cif], is_augmented=[False, False, True])
    assert read_table(path, {}).data.is_augmented.tolist() == [False, True]
    path = write(tmp_path / "table.csv", [cif], is_augmented=["perhaps"])
    with pytest.raises(MaterialError, match="is_augmented"):
        read_table(path, {})
