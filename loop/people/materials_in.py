"""Materials in files of people's own: one structure each or, of compositions, a CSV."""

from collections.abc import Sequence
from pathlib import Path

from alloop.errors import DataError
from alloop.files.csv_table import composition_in, read_csv_table
from alloop.files.structure_files import read_structure
from alloop.materials import Material
from alloop.space import AnySpace, Compositions

FORMULA = "formula"


def materials_in(files: Sequence[Path], space: AnySpace) -> list[Material]:
    """Return the materials of files, in their order.

    Args:
        files: structures or, in a space of compositions, tables with a column ``formula`` or with
            columns of element fractions; other columns are not read.
        space: of the campaign.

    Raises:
        MaterialError, DataError: naming the file, and line and column, that cannot be used.
    """
    if not isinstance(space, Compositions):
        return [read_structure(path).structure for path in files]
    materials: list[Material] = []
    for path in files:
        table = read_csv_table(path)
        has_formula = FORMULA in table.columns
        elements = () if has_formula else table.element_columns(())
        if not has_formula and not elements:
            raise DataError(
                "there is no column formula, and none of an element",
                where=str(path),
                remedy="The space holds compositions: write a formula in each row.",
            )
        formula = FORMULA if has_formula else None
        materials += [composition_in(row, formula, elements) for row in table.rows]
    return materials
