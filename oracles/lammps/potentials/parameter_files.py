"""Reading what LAMMPS's parameter files are for: which elements, after whom, in which units."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pymatgen.core import Element

from alloop.canonical import sha256
from alloop.errors import PotentialError
from alloop.files.limits import LINE_LENGTH, POTENTIAL_BYTES
from alloop.files.reading import read_bytes
from alloop.oracles.lammps.options import LABEL, PairStyle

_CITATION = re.compile(r"CITATION:\s*(.*?)\s*(?:COMMENT:.*)?$", re.MULTILINE)
_UNITS = re.compile(r"UNITS:\s*(\S+)")
_ENTRY_WORDS = MappingProxyType({"sw": 14, "tersoff": 17})
"""Words of one entry: three labels, then the parameters (LAMMPS: pair_style sw, tersoff)."""


@dataclass(frozen=True)
class ParameterFile:
    """A file of parameters and what must be in it."""

    path: Path
    checksum: str
    """SHA-256 of its bytes."""

    @classmethod
    def with_current_checksum(cls, path: Path) -> "ParameterFile":
        """Return the file with the checksum that it has now.

        Raises:
            PotentialError: if it cannot be read.
        """
        return cls(path, _checksum(path))

    def checked_path(self) -> Path:
        """Return the path.

        Raises:
            PotentialError: if the file is missing or is not the one that was meant.
        """
        if (found := _checksum(self.path)) != self.checksum:
            raise PotentialError(
                f"this parameter file has changed: its SHA-256 is {found[:12]}…, "
                f"not {self.checksum[:12]}…",
                where=str(self.path),
                remedy="Put the original back.",
            )
        return self.path


def _checksum(path: Path) -> str:
    try:
        return sha256(read_bytes(path, POTENTIAL_BYTES, error=PotentialError))
    except PotentialError as error:
        raise PotentialError(
            f"this parameter file cannot be used: {error.what}",
            where=str(path),
            remedy="Put the original back.",
        ) from error


def labels_of(pair_style: PairStyle, paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the labels of a potential's elements in its files, in the files' order.

    A MEAM library may hold more elements than a parameter file was made for.

    Raises:
        PotentialError: if the files are not of that style.
    """
    try:
        return _labels(pair_style, paths)
    except (ValueError, IndexError, OSError) as error:
        raise PotentialError(
            f"this is not a parameter file of pair style {pair_style} ({error})",
            where=str(paths[0]),
            remedy="See LAMMPS's page on that pair style for its form.",
        ) from error


def missing_triplet(pair_style: PairStyle, path: Path, labels: Sequence[str]) -> str | None:
    """Return the first three labels that a Stillinger–Weber or Tersoff file has no entry for."""
    triplets = set(_triplets(path, _ENTRY_WORDS[pair_style]))
    wanted = itertools.product(labels, repeat=3)
    return next((" ".join(three) for three in wanted if three not in triplets), None)


def citation_of(path: Path) -> str:
    """Return the citation that a file gives, or an empty string."""
    found = _CITATION.search(_header(path))
    return "" if found is None or found[1].lower() == "unknown" else found[1]


def require_metal_units(path: Path) -> None:
    """Check that a file that names its units names LAMMPS's metal units (eV, Å).

    Raises:
        PotentialError: if it names others.
    """
    found = _UNITS.search(_header(path))
    if found is not None and found[1] != "metal":
        raise PotentialError(
            f"this parameter file is in {found[1]} units, not in metal units",
            where=str(path),
            remedy="Convert it to eV and Å.",
        )


def element_named(label: str) -> str | None:
    """Return the element that a label names by itself, if any: Ni, but not NiS."""
    return label if Element.is_valid_symbol(label) else None


def _header(path: Path) -> str:
    content = read_bytes(path, POTENTIAL_BYTES, error=PotentialError)[:LINE_LENGTH]
    return "\n".join(content.decode("utf-8", errors="replace").splitlines()[:3])


def _lines(path: Path) -> list[str]:
    content = read_bytes(path, POTENTIAL_BYTES, error=PotentialError)
    return content.decode("utf-8", errors="replace").splitlines()


def _words(path: Path) -> list[str]:
    """Return the words of a file, without its comments."""
    return [word for line in _lines(path) for word in line.split("#")[0].split()]


def _labels(pair_style: PairStyle, paths: Sequence[Path]) -> tuple[str, ...]:
    match pair_style:
        case "eam":
            return tuple(map(_funcfl_element, paths))
        case "eam/alloy" | "eam/fs":
            return _setfl_labels(paths[0])
        case "meam":
            return _meam_labels(paths[0])
        case "snap":
            return _snap_labels(paths[0])
        case "sw" | "tersoff":
            triplets = _triplets(paths[0], _ENTRY_WORDS[pair_style])
            return tuple(dict.fromkeys(three[0] for three in triplets if len({*three}) == 1))


def _funcfl_element(path: Path) -> str:
    number = int(_lines(path)[1].split()[0])
    return Element.from_Z(number).symbol


def _setfl_labels(path: Path) -> tuple[str, ...]:
    count, *labels = _lines(path)[3].split()
    if len(labels) != int(count):
        raise ValueError(f"its fourth line names {len(labels)} elements, not {count}")
    return tuple(labels)


def _meam_labels(path: Path) -> tuple[str, ...]:
    """Return the labels of a library, 19 words per element."""
    words = _words(path)
    labels = [words[i].strip("'\"") for i in range(0, len(words), 19)]
    if not labels or len(words) % 19 or any(not LABEL.fullmatch(label) for label in labels):
        raise ValueError("it does not hold 19 words per element")
    return tuple(dict.fromkeys(labels))


def _snap_labels(path: Path) -> tuple[str, ...]:
    words = _words(path)
    n_elements, n_coefficients = int(words[0]), int(words[1])
    each = n_coefficients + 3
    if len(words) != 2 + n_elements * each:
        raise ValueError(f"it does not hold {n_elements} times {n_coefficients} coefficients")
    return tuple(words[2 + i * each] for i in range(n_elements))


def _triplets(path: Path, entry: int) -> list[tuple[str, ...]]:
    words = _words(path)
    if not words or len(words) % entry:
        raise ValueError(f"its {len(words)} words are no whole number of entries")
    return [tuple(words[i : i + 3]) for i in range(0, len(words), entry)]
