"""Elemental property vectors Z: the published CGCNN table, which matminer carries.

Nine properties, each as a one-hot of its bins, 92 columns in all (T. Xie and J. C. Grossman,
Phys. Rev. Lett. 120 (2018) 145301). We use the published table itself, so nothing differs
from it. What to know of it:

- A property without a value is a block of zeros: electronegativity of noble gases, electron
  affinity of some lanthanides and actinides.
- Lanthanides and actinides are in column 0 of the group block; columns 1–18 are the groups.
- It ends at fermium. The element matrix has rows up to lawrencium (M = 103 in the paper), but
  Md, No and Lr have no vector and are refused.
- Neighbouring lanthanides share vectors. The element matrix tells them apart, Z does not.
"""

import json
from functools import lru_cache
from importlib import resources

import numpy as np

N_ELEMENTS = 103
"""Number of rows of the element matrix (M in the paper): H to Lr."""

PROPERTY_BLOCKS = {
    "group": 19,
    "period": 7,
    "electronegativity": 10,
    "covalent radius": 10,
    "valence electrons": 12,
    "first ionisation energy": 10,
    "electron affinity": 10,
    "block": 4,
    "atomic volume": 10,
}
"""Number of bins of each property, in the order of the columns."""

N_PROPERTIES = sum(PROPERTY_BLOCKS.values())
"""Length of an elemental property vector (K = 92 in the paper)."""


@lru_cache(maxsize=1)
def property_table() -> np.ndarray:
    """Return Z of every element, shape (103, 92), row 0 being hydrogen; NaN where not known."""
    file = resources.files("matminer.utils.data_files") / "cgcnn_atom_feature.json"
    vectors = json.loads(file.read_text("utf-8"))
    table = np.full((N_ELEMENTS, N_PROPERTIES), np.nan)
    for number, vector in vectors.items():
        table[int(number) - 1] = vector
    table.flags.writeable = False
    return table
