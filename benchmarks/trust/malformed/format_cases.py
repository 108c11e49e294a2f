"""Structure files and tables as other programs write them, which are taken for what they say."""

import csv
import gzip
import random
from pathlib import Path

from alloop.files.csv_table import read_csv_table
from alloop.materials import formula_of, material_id
from benchmarks.trust.malformed.case import (
    CIF,
    HCP,
    NI3CR,
    P63_MMC,
    POSCAR,
    case,
    read_content,
    require_ni3cr,
    require_refusal,
)


@case
def latin1_in_a_comment(folder: Path) -> None:
    require_ni3cr(
        read_content(folder, "a.cif", f"# gemessen in Zürich, Å\n{CIF}".encode("latin-1"))
    )


@case
def utf8_with_a_mark(folder: Path) -> None:
    require_ni3cr(read_content(folder, "a.cif", f"\ufeff{CIF}"))


@case
def utf16_as_windows_saves_it(folder: Path) -> None:
    require_ni3cr(read_content(folder, "a.cif", CIF.encode("utf-16")))


@case
def line_ends_of_old_macs_and_windows(folder: Path) -> None:
    for end in ("\r", "\r\n"):
        require_ni3cr(read_content(folder, "a.cif", CIF.replace("\n", end)))
        require_ni3cr(read_content(folder, "POSCAR", POSCAR.replace("\n", end)))


@case
def latin1_in_a_table_is_named(folder: Path) -> None:
    (folder / "t.csv").write_bytes("formula,k\nNi,1\nNi3Cr,2 \xe9\n".encode("latin-1"))
    require_refusal(lambda: read_csv_table(folder / "t.csv"), "UTF-8", "line 3")


@case
def table_of_a_spreadsheet_in_utf16(folder: Path) -> None:
    (folder / "t.csv").write_bytes("formula,k\nNi,1\n".encode("utf-16"))
    assert read_csv_table(folder / "t.csv").rows[0].cells == {"formula": "Ni", "k": "1"}


@case
def separators_of_unicode_end_no_row(folder: Path) -> None:
    (folder / "t.csv").write_text("name,k\na\u2028b\x85c\x0cd,1\n", "utf-8")
    (row,) = read_csv_table(folder / "t.csv").rows
    assert row.cells["k"] == "1", row


@case
def semicolons_are_named(folder: Path) -> None:
    (folder / "t.csv").write_text("formula;k\nNi;187,6\n")
    require_refusal(lambda: read_csv_table(folder / "t.csv"), "';'", "commas")


@case
def compressed_files(folder: Path) -> None:
    require_ni3cr(read_content(folder, "a.cif.gz", gzip.compress(CIF.encode())))
    require_ni3cr(read_content(folder, "POSCAR.gz", gzip.compress(POSCAR.encode())))


# --- what a format says ------------------------------------------------------------------------


@case
def coarse_coordinates_of_a_special_position(folder: Path) -> None:
    for x, y in (("0.33", "0.67"), ("0.333", "0.667"), ("0.3333", "0.6667")):
        read = read_content(folder, "a.cif", HCP.format(symmetry=P63_MMC, x=x, y=y))
        assert len(read.structure) == 2, (x, y, read)


@case
def labels_in_extended_xyz(folder: Path) -> None:
    rows = "\n".join(
        f"{s.specie} {' '.join(f'{c:.6f}' for c in s.coords)} 0.1" for s in NI3CR.sites
    )
    for label in (
        'stress="0.01 0.01 0.01 0 0 0"',
        'stress="1 2 3"',
        "energy=nan",
        'virial="x y z"',
        "config_type={a b}",
        "forces=[1, 2",
    ):
        text = (
            '4\nLattice="3.55 0 0 0 3.55 0 0 0 3.55" '
            f"Properties=species:S:1:pos:R:3:charge:R:1 {label}\n{rows}\n"
        )
        require_ni3cr(read_content(folder, "a.xyz", text))


@case
def selective_dynamics_are_said_to_be_left_out(folder: Path) -> None:
    rows = "".join(f"{' '.join(map(str, site.frac_coords))} F F T\n" for site in NI3CR)
    head = "x\n3.55\n1 0 0\n0 1 0\n0 0 1\nCr Ni\n1 3\nSelective dynamics\nDirect\n"
    read = read_content(folder, "POSCAR", head + rows)
    require_ni3cr(read)
    assert any("selective dynamics" in remark for remark in read.remarks), read.remarks


@case
def volume_in_place_of_a_factor(folder: Path) -> None:
    text = "x\n-44.738875\n1 0 0\n0 1 0\n0 0 1\nCr Ni\n1 3\nCartesian\n"
    require_ni3cr(read_content(folder, "POSCAR", text + "0 0 0\n0 .5 .5\n.5 0 .5\n.5 .5 0\n"))


@case
def names_and_numbers_of_atoms_that_do_not_agree(folder: Path) -> None:
    text = "x\n1\n3 0 0\n0 3 0\n0 0 3\nNi Fe\n2\nDirect\n0 0 0\n.5 .5 .5\n"
    require_refusal(lambda: read_content(folder, "POSCAR", text), "2 elements", "1 numbers")


@case
def isotopes_are_said_to_be_left_out(folder: Path) -> None:
    read = read_content(folder, "a.xyz", '1\nLattice="3 0 0 0 3 0 0 0 3"\nD 0 0 0\n')
    assert formula_of(read.structure) == "H1", read
    assert any("isotopes" in remark for remark in read.remarks), read.remarks


@case
def unreadable_operations_are_not_p1(folder: Path) -> None:
    symmetry = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,z+1/2&\n?"
    text = HCP.format(symmetry=symmetry, x="0.3333", y="0.6667")
    require_refusal(lambda: read_content(folder, "a.cif", text), "symmetry")


@case
def unknown_group_is_not_p1(folder: Path) -> None:
    symmetry = "_symmetry_space_group_name_H-M 'P 6x/m m c'"
    text = HCP.format(symmetry=symmetry, x="0.3333", y="0.6667")
    require_refusal(lambda: read_content(folder, "a.cif", text), "P6x/mmc", "P1")


@case
def group_with_two_origins_is_not_guessed(folder: Path) -> None:
    cubic = HCP.replace("120", "90").replace("2.49", "3.57").replace("4.05", "3.57")
    text = cubic.format(symmetry="_symmetry_space_group_name_H-M 'F d -3 m'", x="0", y="0")
    require_refusal(lambda: read_content(folder, "a.cif", text.replace("0.25", "0")), "origin")


@case
def block_that_cannot_be_read_is_not_passed_over(folder: Path) -> None:
    broken = HCP.format(symmetry=P63_MMC, x="0.3333", y="?")
    require_refusal(lambda: read_content(folder, "a.cif", f"{CIF}\n{broken}"), "cannot be read")


@case
def water_without_hydrogen(folder: Path) -> None:
    text = HCP.format(symmetry="", x="0", y="0").replace("Ni1", "Wat1")
    require_refusal(lambda: read_content(folder, "a.cif", text), "hydrogen")


@case
def noble_gases_in_any_order_are_one_material(folder: Path) -> None:
    rows = [("He", "0 0 0"), ("Ni", "0.5 0.5 0"), ("Ar", "0.5 0 0.5"), ("Cr", "0 0.5 0.5")]
    head = HCP.format(symmetry="", x="0", y="0").rpartition("Ni1")[0].replace("120", "90")
    ids = set()
    for seed in range(6):
        random.Random(seed).shuffle(rows)
        text = head + "".join(f"{el}{i} {xyz}\n" for i, (el, xyz) in enumerate(rows))
        ids.add(material_id(read_content(folder, "a.cif", text).structure))
    assert len(ids) == 1, ids


@case
def every_reader_takes_a_cif_for_the_same_material(folder: Path) -> None:
    from alloop.models.crystal_table import read_crystal_table  # noqa: PLC0415
    from alloop.oracles.table.options import TableOptions  # noqa: PLC0415
    from alloop.oracles.table.oracle import TableOracle  # noqa: PLC0415

    text = HCP.format(symmetry=P63_MMC, x="0.333", y="0.667")
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["cif", "k"], [text, "1"]])
    options = TableOptions(file=folder / "t.csv", properties={"bulk_modulus": "k"}, structure="cif")
    ids = {
        material_id(read_content(folder, "a.cif", text).structure),
        material_id(TableOracle(options).materials()[0]),
        material_id(read_crystal_table(folder / "t.csv", {}).data.materials[0]),
    }
    assert len(ids) == 1, ids


@case
def numbers_of_other_scripts_and_with_underscores(folder: Path) -> None:
    from alloop.files.csv_table import number_in  # noqa: PLC0415

    for text in ("1_000", "١٢", "0x10", "1,5", "inf"):
        (folder / "t.csv").write_text(f'k\n"{text}"\n', "utf-8")
        (row,) = read_csv_table(folder / "t.csv").rows
        require_refusal(lambda row=row: number_in(row, "k"), "finite number")  # type: ignore[misc]
