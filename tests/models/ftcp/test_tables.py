import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from alloop.errors import MaterialError
from alloop.models.ftcp.representation.crystals import Size
from alloop.models.ftcp.tables import read_table


@pytest.fixture
def frame(perovskites):
    cells = perovskites(4)
    return pd.DataFrame(
        {
            "material_id": [f"m-{row}" for row in range(4)],
            "cif": [str(CifWriter(cell)) for cell in cells],
            "heat_all": [0.5, 1.5, np.nan, -1.0],
            "dir_gap": [0.0, 1.0, 2.0, 3.0],
        }
    )


def written(frame, path):
    frame.to_csv(path / "set.csv")
    return path / "set.csv"


def test_rows_and_properties_are_read_and_gaps_stay_gaps(frame, tmp_path, perovskites):
    table = read_table(
        written(frame, tmp_path), {"formation_energy_per_atom": "heat_all", "band_gap": "dir_gap"}
    )
    assert table.names == ("m-0", "m-1", "m-2", "m-3")
    assert table.data.property_names == ("formation_energy_per_atom", "band_gap")
    expected = frame[["heat_all", "dir_gap"]].to_numpy()
    assert np.array_equal(table.data.labels, expected, equal_nan=True)
    for read, given in zip(table.data.materials, perovskites(4), strict=True):
        assert read.species == given.species
        assert np.allclose(read.frac_coords % 1, given.frac_coords % 1, atol=1e-7)


def test_unreadable_rows_are_skipped_and_named(frame, tmp_path):
    mixed = Structure(Lattice.cubic(4), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]])
    frame.loc[0, "cif"] = "not a CIF at all"
    frame.loc[2, "cif"] = str(CifWriter(mixed))
    frame.loc[3, "cif"] = np.nan
    table = read_table(written(frame, tmp_path), {"band_gap": "dir_gap"})
    assert table.names == ("m-1",)
    assert table.data.labels.tolist() == [[1.0]]
    assert [(one.row, one.name) for one in table.skipped] == [(0, "m-0"), (2, "m-2"), (3, "m-3")]
    assert "cannot be read" in table.skipped[0].reason
    assert "partly occupied" in table.skipped[1].reason
    assert "empty" in table.skipped[2].reason


def test_crystals_too_large_for_a_size_are_skipped(frame, tmp_path):
    frame.loc[1, "cif"] = str(CifWriter(Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])))
    table = read_table(written(frame, tmp_path), {}, size=Size(2, 5))
    assert table.names == ("m-1",)
    assert "3 elements" in table.skipped[0].reason


def test_a_property_in_words_is_refused(frame, tmp_path):
    frame["heat_all"] = ["0.5", "insulator", "", "inf"]
    with pytest.raises(MaterialError, match=r"'insulator' in column 'heat_all', row 1.*2 such"):
        read_table(written(frame, tmp_path), {"formation_energy_per_atom": "heat_all"})


def test_missing_columns_and_files_are_named(frame, tmp_path):
    path = written(frame, tmp_path)
    with pytest.raises(MaterialError, match=r"no column 'ehull'; there are .*heat_all"):
        read_table(path, {"energy_above_hull": "ehull"})
    with pytest.raises(MaterialError, match="not a readable CSV"):
        read_table(tmp_path / "absent.csv", {})
    path.write_bytes(b"\x80\x81\x00")
    with pytest.raises(MaterialError, match="not a readable CSV"):
        read_table(path, {})


def test_a_table_without_a_crystal_is_refused(frame, tmp_path):
    frame["cif"] = "nothing"
    with pytest.raises(MaterialError, match="none of 4 rows"):
        read_table(written(frame, tmp_path), {})
