"""VASP's input files, read with little, so that the test double starts fast."""

from pathlib import Path

import numpy as np
from ase import Atoms

Value = bool | int | float | str | list[float]


def read_incar(path: Path) -> dict[str, Value]:
    """Return INCAR's tags."""
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): _value(text.strip()) for name, _, text in pairs}


def read_poscar(path: Path) -> Atoms:
    """Return POSCAR's cell."""
    lines = path.read_text().splitlines()
    cell = float(lines[1]) * np.array([line.split() for line in lines[2:5]], dtype=float)
    symbols = [
        symbol
        for symbol, count in zip(lines[5].split(), lines[6].split(), strict=True)
        for _ in range(int(count))
    ]
    assert lines[7].lower().startswith("d")
    places = np.array([line.split()[:3] for line in lines[8 : 8 + len(symbols)]], dtype=float)
    return Atoms(symbols, cell=cell, scaled_positions=places, pbc=True)


def write_contcar(atoms: Atoms) -> str:
    """Return the text of CONTCAR."""
    symbols = atoms.get_chemical_symbols()
    kinds = list(dict.fromkeys(symbols))
    rows = "\n".join(" ".join(f"{x:.16f}" for x in row) for row in atoms.cell.array)
    places = atoms.get_scaled_positions(wrap=False)
    return (
        f"a test double of VASP\n1.0\n{rows}\n{' '.join(kinds)}\n"
        f"{' '.join(str(symbols.count(kind)) for kind in kinds)}\nDirect\n"
        + "\n".join(" ".join(f"{x:.16f}" for x in place) for place in places)
        + "\n"
    )


def read_potcars(n_species: int) -> list[str]:
    """Return the POTCARs' names, in the order of POSCAR."""
    if Path("POTCAR").exists():
        text = Path("POTCAR").read_text().splitlines()
        names = [line.split()[3] for line in text if "TITEL" in line]
    else:
        names = Path("POTCAR.spec").read_text().split()
    if len(names) != n_species:
        raise SystemExit(
            "ERROR: number of potentials on File POTCAR incompatible with number of species"
        )
    return names


def _value(text: str) -> Value:
    if text in ("True", "False", ".TRUE.", ".FALSE."):
        return text in ("True", ".TRUE.")
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text[0].isdigit():
        return [float(x) for part in text.split() for x in _repeated(part)]
    return text


def _repeated(part: str) -> list[str]:
    count, star, value = part.partition("*")
    return [value] * int(count) if star else [part]
