"""Tables in CDVAE's format: what is read, and what is named when it cannot be."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from alloop.errors import MaterialError
from alloop.models.crystal_table import read_crystal_table
from alloop.models.ftcp.representation.crystals import Size
from alloop.models.ftcp.representation.crystals import representation_problem as ftcp_refusal
from alloop.models.pcdvae.networks.crystal import representation_problem as pcdvae_refusal

SITES = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
CELLS = [
    Structure(Lattice.cubic(length), [a, b, "O", "O", "O"], SITES)
    for a, b, length in (("Ca", "Ti", 3.8), ("Sr", "Ti", 3.9), ("Ba", "Zr", 4.2), ("Ba", "Ti", 4.0))
]
HALF = Structure(Lattice.cubic(3), [{"Ni": 0.5, "Fe": 0.5}, "Cr"], [[0] * 3, [0.5] * 3])


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "material_id": [f"m-{row}" for row in range(4)],
            "cif": [str(CifWriter(cell)) for cell in CELLS],
            "heat_all": [0.5, 1.5, np.nan, -1.0],
            "dir_gap": [0.0, 1.0, 2.0, 3.0],
        }
    )


def written(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "set.csv")
    return folder / "set.csv"


def test_rows_and_properties_are_read_and_gaps_stay_gaps(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    table = read_crystal_table(
        written(frame, tmp_path), {"formation_energy_per_atom": "heat_all", "band_gap": "dir_gap"}
    )
    assert table.names == ("m-0", "m-1", "m-2", "m-3")
    assert table.data.property_names == ("formation_energy_per_atom", "band_gap")
    expected = frame[["heat_all", "dir_gap"]].to_numpy()
    assert np.array_equal(table.data.labels, expected, equal_nan=True)
    for read, given in zip(table.data.materials, CELLS, strict=True):
        assert isinstance(read, Structure)
        assert read.species == given.species
        assert np.allclose(read.frac_coords % 1, given.frac_coords % 1, atol=1e-7)


def test_unreadable_rows_are_skipped_and_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[0, "cif"] = "not a CIF at all"
    frame.loc[2, "cif"] = str(CifWriter(HALF))
    frame.loc[3, "cif"] = np.nan
    table = read_crystal_table(written(frame, tmp_path), {"band_gap": "dir_gap"})
    assert table.names == ("m-1",)
    assert table.rows == (1,)
    assert table.data.labels.tolist() == [[1.0]]
    assert [(one.row, one.name) for one in table.skipped] == [(0, "m-0"), (2, "m-2"), (3, "m-3")]
    assert "cannot be read" in table.skipped[0].reason
    assert "partly occupied" in table.skipped[1].reason
    assert "empty" in table.skipped[2].reason


def test_crystals_too_large_for_a_size_are_skipped(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[1, "cif"] = str(CifWriter(Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])))
    fits = partial(ftcp_refusal, size=Size(2, 5))
    table = read_crystal_table(written(frame, tmp_path), {}, refusal=fits)
    assert table.names == ("m-1",)
    assert "3 elements" in table.skipped[0].reason


def test_crystals_that_pcdvae_cannot_place_are_skipped(frame: pd.DataFrame, tmp_path: Path) -> None:
    single = Structure(Lattice.cubic(3), ["Ni"], [[0] * 3])
    close = Structure(Lattice.cubic(4), ["Ni", "Fe"], [[0] * 3, [0, 0, 0.05]])
    frame.loc[0, "cif"], frame.loc[2, "cif"] = single.to(fmt="cif"), close.to(fmt="cif")
    table = read_crystal_table(written(frame, tmp_path), {}, refusal=pcdvae_refusal)
    assert table.rows == (1, 3)
    assert "at least two atoms" in table.skipped[0].reason
    assert "overlap" in table.skipped[1].reason


def test_a_property_in_words_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["heat_all"] = ["0.5", "insulator", "", "inf"]
    with pytest.raises(MaterialError, match=r"'insulator' in column 'heat_all', row 1.*2 such"):
        read_crystal_table(written(frame, tmp_path), {"formation_energy_per_atom": "heat_all"})


def test_missing_columns_and_files_are_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = written(frame, tmp_path)
    with pytest.raises(MaterialError, match=r"no column 'ehull'; there are .*heat_all"):
        read_crystal_table(path, {"energy_above_hull": "ehull"})
    with pytest.raises(MaterialError, match="not a readable CSV"):
        read_crystal_table(tmp_path / "absent.csv", {})
    for unreadable in (b"\x80\x81\x00", b""):
        path.write_bytes(unreadable)
        with pytest.raises(MaterialError, match="not a readable CSV"):
            read_crystal_table(path, {})
    path.write_text("a,b\n1,2\n")
    with pytest.raises(MaterialError, match="no column 'cif'; there are a, b"):
        read_crystal_table(path, {})


def test_a_table_without_a_crystal_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["cif"] = "nothing"
    with pytest.raises(MaterialError, match="none of 4 rows"):
        read_crystal_table(written(frame, tmp_path), {})


def test_rows_of_local_search_are_known_by_their_column(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame.loc[1, "cif"] = "bad"
    frame["is_augmented"] = [False, False, True, False]
    table = read_crystal_table(written(frame, tmp_path), {})
    assert table.data.is_augmented.tolist() == [False, True, False]
    frame["is_augmented"] = "perhaps"
    with pytest.raises(MaterialError, match="is_augmented"):
        read_crystal_table(written(frame, tmp_path), {})


@pytest.mark.parametrize(
    ("name", "column", "atoms"), [("perov_5", "heat_all", 5), ("carbon_24", "energy_per_atom", 24)]
)
def test_public_tables_can_be_read(
    name: str, column: str, atoms: int, tmp_path: Path, data_folder: Path
) -> None:
    """Some rows, because pymatgen takes a while for all."""
    some = pd.read_csv(data_folder / name / "val.csv").iloc[:25]
    some.to_csv(tmp_path / "some.csv")
    table = read_crystal_table(
        tmp_path / "some.csv", {"energy_per_atom": column}, refusal=pcdvae_refusal
    )
    assert not table.skipped
    assert np.allclose(table.data.labels[:, 0], some[column])
    assert max(len(material) for material in table.data.materials) <= atoms
