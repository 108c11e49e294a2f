"""The files that VASP leaves behind, as far as custodian and emmet read them."""

import os
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from ase import Atoms
from files import Value, write_contcar
from physics import Step

EFERMI = 5.0
TOP = 4.5
"""Highest of the second band, eV."""
LOWEST = TOP + float(os.environ.get("VASP_STAND_IN_GAP", "0.3"))
"""Lowest of the third band, eV; by default below the Fermi energy, which this band crosses, as in a
metal. VASP_STAND_IN_GAP of more than 0.5 eV makes a semiconductor."""
BANDS = ((-2.0, 4.0, 1.2 + LOWEST, 9.0), (-1.0, TOP, LOWEST, 9.5))
"""eV, at two k-points."""

TITLES = {"Ni": "02Aug2007", "Fe": "06Sep2000", "Cr": "06Sep2000"}


def write_all(
    steps: list[Step],
    incar: dict[str, Value],
    mesh: list[int],
    potcars: list[str],
    moments: list[float],
    *,
    charges_converge: bool,
) -> None:
    """Write vasprun.xml, OUTCAR, OSZICAR and CONTCAR."""
    last = steps[-1]
    Path("CONTCAR").write_text(write_contcar(last.atoms))
    # An unconverged loop has all the electronic steps it is allowed.
    loops = 3 if charges_converge else int(incar.get("NELM", 60))
    Path("OSZICAR").write_text(_oszicar(steps, loops, sum(moments)))
    Path("OUTCAR").write_text(_outcar(last, incar, moments))
    Path("vasprun.xml").write_text(_vasprun(steps, incar, mesh, potcars, moments, loops))


def write_outcar(step: Step, incar: dict[str, Value]) -> None:
    """Write an OUTCAR that custodian can look into while it waits."""
    Path("OUTCAR").write_text(_outcar(step, incar, [0.0] * len(step.atoms)))


def _oszicar(steps: list[Step], loops: int, moment: float) -> str:
    lines = []
    for number, step in enumerate(steps, start=1):
        lines.append("       N       E                     dE             d eps       ncg     rms")
        for loop in range(1, loops + 1):
            lines.append(
                f"DAV: {loop:3d}    {step.energy:.12E}   -0.10000E-06   -0.1E-06  100   0.1E-03"
            )
        lines.append(
            f"{number:4d} F= {step.energy:.8E} E0= {step.energy:.8E}  d E =-.100000E-05"
            f"  mag= {moment:.4f}"
        )
    return "\n".join(lines) + "\n"


def _outcar(last: Step, incar: dict[str, Value], moments: list[float]) -> str:
    ions = "\n".join(
        f"{i:5d}        0.000   0.000  {m:6.3f}  {m:6.3f}" for i, m in enumerate(moments, start=1)
    )
    return f"""\
 vasp.6.4.2 (a test double) complex
 running on    1 total cores
   k-points  NKPTS = 1   k-points in BZ  NKDIM = 1   number of bands    NBANDS=     {len(BANDS[0])}
   IBRION = {incar.get("IBRION", -1):6d}    ionic relax: 0-MD 1-quasi-New 2-CG
 total plane-waves  NPLWV =    1000
   NELECT =      {8 * len(moments)}.0000    total number of electrons
 number of electron      {8 * len(moments)}.0000000 magnetization      {sum(moments):.7f}
 E-fermi :   {EFERMI:.4f}     XC(G=0):  -9.0000     alpha+bet : -7.0000

 magnetization (x)

# of ion       s       p       d       tot
------------------------------------------
{ions}
--------------------------------------------------
tot          0.000   0.000  {sum(moments):6.3f}  {sum(moments):6.3f}

    total drift:                                0.000000      0.000000      0.000000

  free energy    TOTEN  =     {last.energy:.8f} eV
  energy  without entropy=     {last.energy:.8f}  energy(sigma->0) =     {last.energy:.8f}
 reached required accuracy - stopping structural energy minimisation
 General timing and accounting informations for this job:
                  Total CPU time used (sec):        1.000
                            User time (sec):        1.000
                          System time (sec):        0.000
                         Elapsed time (sec):        1.000
"""


def _vasprun(
    steps: list[Step],
    incar: dict[str, Value],
    mesh: list[int],
    potcars: list[str],
    moments: list[float],
    loops: int,
) -> str:
    atoms = steps[-1].atoms
    calculations = "\n".join(_calculation(step, loops) for step in steps)
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator>
  <i name="program" type="string">vasp </i>
  <i name="version" type="string">6.4.2  </i>
  <i name="subversion" type="string">a test double</i>
 </generator>
 <incar>
{_tags(incar)}
 </incar>
 <kpoints>
  <generation param="Gamma">
   <v type="int" name="divisions">{_row(mesh, "d")}</v>
   <v name="usershift">0.0 0.0 0.0</v>
  </generation>
  <varray name="kpointlist"><v>0.0 0.0 0.0</v><v>0.5 0.0 0.0</v></varray>
  <varray name="weights"><v>0.5</v><v>0.5</v></varray>
 </kpoints>
 <parameters>
  <separator name="electronic">
   <i name="ENMAX">{float(incar.get("ENCUT", 400)):.4f}</i>
   <i type="int" name="ISPIN">{incar.get("ISPIN", 1)}</i>
   <i type="int" name="NELM">{incar.get("NELM", 60)}</i>
   <i type="int" name="NELMIN">2</i>
   <i type="int" name="NBANDS">{len(BANDS[0])}</i>
   <i name="EDIFF">{incar.get("EDIFF", 1e-4)}</i>
   <i type="int" name="ISMEAR">{incar.get("ISMEAR", 1)}</i>
   <i name="SIGMA">{incar.get("SIGMA", 0.2)}</i>
   <i type="string" name="GGA">{incar.get("GGA", "PE")}</i>
   <i type="logical" name="LHFCALC">F</i>
   <i type="logical" name="LDAU">F</i>
   <v name="MAGMOM">{_row(moments)}</v>
  </separator>
  <separator name="ionic">
   <i type="int" name="NSW">{incar.get("NSW", 0)}</i>
   <i type="int" name="IBRION">{incar.get("IBRION", -1)}</i>
   <i type="int" name="ISIF">{incar.get("ISIF", 2)}</i>
   <i name="EDIFFG">{incar.get("EDIFFG", -0.02)}</i>
   <i type="int" name="LORBIT">0</i>
  </separator>
 </parameters>
 <atominfo>
  <atoms>{len(atoms)}</atoms>
  <types>{len(potcars)}</types>
  <array name="atoms"><set>{_atoms(atoms)}</set></array>
  <array name="atomtypes"><set>{_types(atoms, potcars)}</set></array>
 </atominfo>
 {_structure(steps[0].atoms, "initialpos")}
{calculations}
 {_structure(atoms, "finalpos")}
</modeling>
"""


def _calculation(step: Step, loops: int) -> str:
    names = ("e_fr_energy", "e_wo_entrp", "e_0_energy")
    energies = "".join(f'<i name="{name}">{step.energy:.10f}</i>' for name in names)
    energy = f"<energy>{energies}</energy>"
    points = "".join(
        f'<set comment="kpoint {number}">'
        + "".join(f"<r>{band} {float(band < EFERMI)}</r>" for band in bands)
        + "</set>"
        for number, bands in enumerate(BANDS, start=1)
    )
    spins = "".join(f'<set comment="spin {spin}">{points}</set>' for spin in (1, 2))
    density = "".join(
        f'<set comment="spin {spin}"><r>-10.0 1.0 0.0</r><r>10.0 1.0 20.0</r></set>'
        for spin in (1, 2)
    )
    return f""" <calculation>
  {"".join(f"<scstep>{energy}</scstep>" for _ in range(loops))}
  {_structure(step.atoms)}
  <varray name="forces">{_rows(step.forces)}</varray>
  <varray name="stress">{_rows(step.stress)}</varray>
  {energy}
  <eigenvalues><array><set>{spins}</set></array></eigenvalues>
  <dos><i name="efermi">{EFERMI}</i><total><array><set>{density}</set></array></total></dos>
 </calculation>"""


def _structure(atoms: Atoms, name: str = "") -> str:
    label = f' name="{name}"' if name else ""
    places = atoms.get_scaled_positions(wrap=False)
    return (
        f'<structure{label}><crystal><varray name="basis">{_rows(atoms.cell.array)}'
        f'</varray></crystal><varray name="positions">{_rows(places)}</varray></structure>'
    )


def _tags(incar: dict[str, Value]) -> str:
    kinds = {bool: ' type="logical"', int: ' type="int"', str: ' type="string"'}
    lines = []
    for name, value in incar.items():
        if isinstance(value, list):
            lines.append(f'  <v name="{name}">{_row(value)}</v>')
            continue
        text = "FT"[value] if isinstance(value, bool) else escape(str(value))
        lines.append(f'  <i{kinds.get(type(value), "")} name="{name}">{text}</i>')
    return "\n".join(lines)


def _atoms(atoms: Atoms) -> str:
    symbols = atoms.get_chemical_symbols()
    kinds = list(dict.fromkeys(symbols))
    return "".join(
        f"<rc><c>{symbol}</c><c>{kinds.index(symbol) + 1}</c></rc>" for symbol in symbols
    )


def _types(atoms: Atoms, potcars: list[str]) -> str:
    symbols = atoms.get_chemical_symbols()
    return "".join(
        f"<rc><c>{symbols.count(symbol)}</c><c>{symbol}</c><c>55.0</c><c>8.0</c>"
        f"<c>PAW_PBE {name} {TITLES[symbol]}</c></rc>"
        for symbol, name in zip(dict.fromkeys(symbols), potcars, strict=True)
    )


def _rows(array: np.ndarray) -> str:
    return "".join(f"<v>{_row(row)}</v>" for row in array)


def _row(values, spec: str = ".10f") -> str:
    return " ".join(format(value, spec) for value in values)
