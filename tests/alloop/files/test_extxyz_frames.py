"""Files of several structures in extended XYZ, with what their second lines say."""

import numpy as np
import pytest

from alloop.errors import MaterialError
from alloop.files.extxyz import read_frames

FRAME = """2
Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3 bulk_modulus={modulus} pbc="T T T"
Ni 0 0 0
Fe 1.5 1.5 1.5
"""


def test_each_structure_comes_with_its_line_and_its_values() -> None:
    frames = read_frames(FRAME.format(modulus=180.5) + FRAME.format(modulus="nan"), 10)
    assert [frame.line for frame in frames] == [1, 5]
    assert [frame.entries["bulk_modulus"] for frame in frames] == ["180.5", "nan"]
    for frame in frames:
        assert frame.structure.composition.reduced_formula == "FeNi"
        assert np.allclose(frame.structure.frac_coords, [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FRAME.format(modulus=1) + "3\nnothing\n", "3 atoms are promised"),
        (FRAME.format(modulus=1) * 3, "more than the 2 that are read"),
        (FRAME.format(modulus=1) + FRAME.format(modulus=1).replace("Fe", "Xx"), "begins in line 5"),
        ("two\n", "cannot be read as extended XYZ"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(text: str, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        read_frames(text, 2)
