"""Hostile structure files, given to `alloop measure`."""

import json
from collections.abc import Iterator

import yaml

from benchmarks.trust.hostile.cases import Hostile, Place, Trial
from benchmarks.trust.hostile.specs import CUBE, LAMMPS

CIF = """data_x
_cell_length_a 3.52
_cell_length_b 3.52
_cell_length_c 3.52
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
{more}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ni1 {symbol} 0 0 0
"""


def hostile_structures(place: Place) -> Iterator[Hostile]:
    """Yield structure files; every one gets a failed measurement with the reason, or a value."""
    oracle = place.write("lammps.yaml", yaml.safe_dump(LAMMPS))
    system = f"().__class__.__mro__[1].__subclasses__, __import__('os').system('{place.touch}')"
    # The attack of CVE-2024-23346 on pymatgen's reader of magnetic CIFs.
    magnetic = f"_space_group_magn.transform_BNS_Pp_abc 'a,b,[{system}];0,0,0'\n"
    magnetic += "_space_group_magn.number_BNS 62.448\n_space_group_magn.name_BNS \"P  n'  m  a'  \""
    symmetry = f"loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,{system}'"
    document = {"@module": "os", "@class": "system", "command": place.touch}
    files: dict[str, str | bytes] = {
        "pickle.cif": place.pickle(),
        "pickle.vasp": place.pickle(),
        "pickle.xyz": place.pickle(),
        "document.cif": json.dumps(document),
        "document.json": json.dumps(document),
        "script.py": f"import os; os.system({place.touch!r})\n",
        "magnetic.cif": CIF.format(more=magnetic, symbol="Ni"),
        "symmetry.cif": CIF.format(more=symmetry, symbol="Ni"),
        "symbol.cif": CIF.format(more="", symbol=f"$({place.touch.replace(' ', '_')})"),
        "comment.vasp": CUBE.replace("Ni\n1.0", f"$({place.touch})\n{system}"),
        "lattice.xyz": f'1\nLattice="{system} 0 0 0 3 0 0 0 3" pbc="T T T"\nNi 0 0 0\n',
        "properties.xyz": f'1\nProperties="{system}:R:3" Lattice="3 0 0 0 3 0 0 0 3"\nNi 0 0 0\n',
        "calculator.xyz": f'1\nLattice="3 0 0 0 3 0 0 0 3" _JSON "{system}"\nNi 0 0 0\n',
    }
    for name, content in files.items():
        path = place.write(f"structures/{name}", content)
        yield _case(name, str(path), str(oracle))
    for name in ("$(touch EXECUTED).vasp", "; touch EXECUTED;.vasp", "|touch EXECUTED.cif"):
        path = place.write(f"structures/{name}", "nothing")
        yield _case(name, str(path), str(oracle))


def _case(name: str, path: str, oracle: str) -> Hostile:
    words = ("measure", path, "--oracle", oracle, "--format", "csv")
    return Hostile(f"structure: {name}", (Trial(words, None),))
