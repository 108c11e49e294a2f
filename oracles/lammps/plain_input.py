"""Plain LAMMPS input that gives a recorded measurement again, with nothing of Alloop in it.

The crystal at rest is strained in all directions alike, its atoms are relaxed by LAMMPS's own FIRE,
which goes by forces alone and so comes to rest more closely than a line search over energies, and
the bulk modulus is a weighted sum of the pressures: a central difference or, where the recorded
value is that of a fit, the fit's weights.
"""

from collections.abc import Mapping, Sequence

from pymatgen.core import Structure

from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.session import GPA_PER_BAR, START, masses
from alloop.oracles.remeasuring import RemeasuringInput
from alloop.oracles.strain_checks import FIT_STRAINS, birch_murnaghan

INPUT = "best.in"
SETUP = "setup.in"
CRYSTAL = "best.data"
CLOSE = 1e-5
"""Largest relative difference between two programs that relax the same crystal; about 1e-7 is
usual, of a modulus from pressures that differ in their seventh digit."""
CLOSE_FIT = 1e-4
"""Difference for a value of a fit, whose cells were relaxed to 1e-4 eV/Å only."""
_FORCES = "1e-12"
"""Length of the force vector at which FIRE ends, eV/Å."""


def plain_input(
    options: LammpsOptions,
    relaxed: Structure,
    properties: Mapping[str, float],
    remarks: Mapping[str, str],
) -> RemeasuringInput:
    """Return LAMMPS's input for a relaxed structure; see ``CanRemeasure``.

    Raises:
        PotentialError: if a parameter file is missing or changed.
    """
    potential = _potential_of(options, relaxed)
    names = [f"potential-{n}" for n in range(1, 1 + len(potential.files))]
    elements = sorted(relaxed.symbol_set)
    crystals = {element: potential.references.get(element) for element in elements}
    references = {
        element: LammpsCell.of(crystal.structure(element))
        for element, crystal in crystals.items()
        if crystal is not None
    }
    files = {
        name: file.checked_path().read_bytes()
        for name, file in zip(names, potential.files, strict=True)
    }
    cell = LammpsCell.of(relaxed)
    files |= {f"{symbol}.data": _data(each, potential) for symbol, each in references.items()}
    files[CRYSTAL] = _data(cell, potential)
    is_fit = "bulk_modulus" in remarks
    given = ["energy_per_atom", "volume_per_atom", "density", "bulk_modulus"]
    text = _modulus(cell, FIT_STRAINS if is_fit else _both_ways(options.strain))
    if len(references) == len(elements):
        given.append("formation_energy_per_atom")
        text += _formation(relaxed, elements)
    files |= {SETUP: _setup(potential, names).encode(), INPUT: (_at_rest() + text).encode()}
    tolerances = dict.fromkeys(given, CLOSE)
    tolerances["bulk_modulus"] = CLOSE_FIT if is_fit else CLOSE
    expected = {name: properties[name] for name in given if name in properties}
    return RemeasuringInput(
        program="lmp",
        variable="LAMMPS",
        arguments=("-in", INPUT, "-log", "none"),
        files=files,
        expected=expected,
        tolerances={name: tolerances[name] for name in expected},
        left_out={
            name: "this input does not measure it" for name in properties if name not in expected
        },
    )


def _potential_of(options: LammpsOptions, structure: Structure) -> Potential:
    """Return the potential that a material of these elements is measured with."""
    symbols = frozenset(structure.symbol_set)
    own = (each.potential for each in options.systems if frozenset(each.elements) == symbols)
    return find_potential(next(own, options.potential))


def _both_ways(strain: float) -> tuple[float, float]:
    return -strain, strain


def _weights(strains: Sequence[float]) -> list[float]:
    """Return the weight of the pressure at each strain in the modulus −V dP/dV."""
    volumes = [(1 + strain) ** 3 for strain in strains]
    if len(strains) == 2:
        return [1 / (volumes[1] - volumes[0]), -1 / (volumes[1] - volumes[0])]
    # The fit is linear in the pressures.
    units = ([float(i == j) for j in range(len(strains))] for i in range(len(strains)))
    return [birch_murnaghan(volumes, unit, 1.0).value for unit in units]


def _setup(potential: Potential, names: Sequence[str]) -> str:
    """Return the commands that read the crystal of the variable ``data``."""
    return "\n".join(
        (
            "# Reads the crystal that the variable data names, and the potential.",
            "clear",
            *START,
            "read_data ${data}",
            *potential.commands_reading(names),
            # After the potential, whose file may have masses of its own.
            *masses(potential),
            "neighbor 1.0 bin",
            "neigh_modify every 1 delay 0 check yes",
            "thermo_style custom step pe fnorm press vol",
            "thermo_modify norm no",
            "",
        )
    )


def _at_rest() -> str:
    return f"""\
# Energy, volume and bulk modulus of the crystal in {CRYSTAL}, which is at rest as it stands there.
# Run as `lmp -in {INPUT}`. Each value has a line of its own, in eV, angstroms, GPa and g/cm3.

variable data string {CRYSTAL}
include {SETUP}
run 0
print "value energy_per_atom $(pe/atoms:%.15g)"
print "value volume_per_atom $(vol/atoms:%.15g)"
print "value density $(density:%.15g)"
variable energy equal $(pe:%.17g)
"""


def _modulus(cell: LammpsCell, strains: Sequence[float]) -> str:
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell.box.tolist()
    weights = " ".join(map(repr, _weights(strains)))
    edges = " ".join(
        f"{axis} final 0.0 $(v_grown*{edge!r}:%.17g)"
        for axis, edge in (("x", lx), ("y", ly), ("z", lz))
    )
    tilts = " ".join(
        f"{axes} final $(v_grown*({tilt!r}):%.17g)"
        for axes, tilt in (("xy", xy), ("xz", xz), ("yz", yz))
    )
    return f"""
# -V dP/dV: the pressure at each strain of all lengths, the atoms relaxed, times its weight.
variable strain index {" ".join(map(repr, strains))}
variable weight index {weights}
variable modulus equal 0.0
label strained
include {SETUP}
variable grown equal 1.0+${{strain}}
change_box all {edges} {tilts} remap units box
min_style fire
minimize 0.0 {_FORCES} 100000 100000
variable modulus equal $(v_modulus+v_weight*press*{GPA_PER_BAR!r}:%.17g)
next strain weight
jump SELF strained
print "value bulk_modulus $(v_modulus:%.15g)"
"""


def _formation(relaxed: Structure, elements: Sequence[str]) -> str:
    counts = relaxed.composition.get_el_amt_dict()
    lines = ["", "# Against each element in its stable crystal, relaxed in volume."]
    for element in elements:
        lines += [
            f"variable data string {element}.data",
            f"include {SETUP}",
            "fix volume all box/relax iso 0.0 vmax 0.001",
            "min_style cg",
            "minimize 0.0 1e-10 10000 10000",
            f"variable energy equal $(v_energy-{counts[element]:g}*pe/atoms:%.17g)",
        ]
    lines.append(f'print "value formation_energy_per_atom $(v_energy/{len(relaxed)}:%.15g)"')
    return "\n".join((*lines, ""))


def _data(cell: LammpsCell, potential: Potential) -> bytes:
    """Return LAMMPS's data file of a crystal."""
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell.box.tolist()
    atoms = "\n".join(
        f"{i} {potential.type_of(site.specie.symbol)} {x!r} {y!r} {z!r}"
        for i, (site, (x, y, z)) in enumerate(
            zip(cell.structure, cell.positions.tolist(), strict=True), start=1
        )
    )
    return f"""\
{cell.structure.composition.formula}

{len(cell.structure)} atoms
{len(potential.elements)} atom types

0.0 {lx!r} xlo xhi
0.0 {ly!r} ylo yhi
0.0 {lz!r} zlo zhi
{xy!r} {xz!r} {yz!r} xy xz yz

Atoms # atomic

{atoms}
""".encode()
