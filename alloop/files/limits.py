"""Bounds on what others' files may hold, checked before what costs time or memory.

What is larger is refused in a sentence. Each bound is far above anything that is used, and low
enough that a refusal takes less than two seconds and 500 MB.
"""

SPEC_BYTES = 256_000
"""Largest spec: a campaign is a page of YAML, and the YAML reader takes a second for this much."""
YAML_NODES = 20_000
"""Most keys and values of a spec, with each alias counted as what it stands for: a few hundred are
usual, and ten nested aliases of ten make 10^10 out of one line."""
YAML_DEPTH = 32
"""Deepest nesting of a spec; six is usual, and readers recurse."""

STRUCTURE_BYTES = 20_000_000
"""Largest structure file: ``ATOMS`` atoms with a kilobyte of labels each."""
ATOMS = 20_000
"""Most atoms of a structure file: a cell with more is measured by none of the oracles."""
CIF_ATOMS = 2_000
"""Most rows of atoms in a CIF: the parser compares every atom with every other, two seconds for
these; larger cells are read from POSCAR and extended XYZ."""
CIF_IMAGES = 3_000
"""Most images of the atoms under all operations of a CIF, before those that coincide are one; the
parser compares these with one another too."""
CIF_OPERATIONS = 768
"""Most symmetry operations of a CIF: four times the 192 of the largest space groups."""
CIF_WORDS = 300_000
"""Most words of a CIF outside of its text blocks: the parser takes a second for as many."""

CSV_BYTES = 100_000_000
"""Largest table; those of public data sets of crystals have some ten MB."""
CSV_COLUMNS = 1_000
"""Most columns of a table: features in thousands belong elsewhere."""
CSV_ROWS = 200_000
"""Most rows of a table, as many as the largest public data sets of computed crystals."""
CSV_LINE_COMMAS = 50_000
"""Most commas of one line of a table, which may be a line of a quoted cell."""
CSV_CELLS = 2_000_000
"""Most cells of a table: each is an object of its own in memory."""
CSV_CELL_LENGTH = 2_000_000
"""Longest cell in characters: a CIF of thirty thousand atoms."""

POTENTIAL_BYTES = 64_000_000
"""Largest parameter file of a potential; LAMMPS's own largest has 2 MB, learned ones have 20."""
LINE_LENGTH = 1_000_000
"""Longest line that is looked at for what a file's header says."""
DIGITS = 400
"""Longest run of digits of a number: floats end at 309, and Python takes long over thousands."""
