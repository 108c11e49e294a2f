"""What a learned potential is: the object behind an entry point of ``alloop.calculators``.

    [project.entry-points."alloop.calculators"]
    my-potential = "my_package:MY_POTENTIAL"

Light: the calculator is imported to be made. Weights are never downloaded, and only files whose
SHA-256 is the expected one are handed to what reads them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import file_digest
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alloop.errors import MissingSoftware, PotentialError, SpecError

MakeCalculator = Callable[[Path | None], Any]
"""Function from the file of weights, None where there is none, to an ASE calculator."""


@dataclass(frozen=True)
class Weights:
    """File of weights that a package brings, or has a place for."""

    package: str
    """Importable package, such as ``sevenn``."""
    path: str
    """Path of the file in that package's folder."""
    sha256: str = ""
    """SHA-256 of the file, hexadecimal; empty where any file in that place is taken."""
    source: str = ""
    """Where a file that the package does not bring is published."""


@dataclass(frozen=True)
class LearnedPotential:
    """A learned potential, or any other that an ASE calculator evaluates."""

    description: str
    """What it is and what it was trained on, with its known errors, for whoever chooses."""
    make: MakeCalculator
    """Imports and makes the ASE calculator of energies, forces and stresses. It must give the same
    numbers for the same cell, whatever it was asked before."""
    family: str
    """Name of the software, such as ``SevenNet``."""
    distributions: tuple[str, ...] = ()
    """Packages it needs, as ``pip install`` calls them. Their versions are in the fingerprint."""
    weights: Weights | None = None
    """Its weights; None for a calculator without any, or one that finds its own. (Those are then
    in no fingerprint but by the packages' versions.)"""
    elements: tuple[str, ...] = ()
    """Symbols of the elements it knows; empty where it takes any."""
    reads_own_weights: bool = False
    """Whether ``make`` also takes a file that a campaign names: only where it reads tensors and
    plain values, and never unpickles or executes what a file brings."""

    def check(self, elements: Iterable[str]) -> None:
        """Check that the packages are installed, and the elements known.

        Raises:
            MissingSoftware: naming the package.
            SpecError: naming the elements.
        """
        self.versions()
        if self.elements and (unknown := [e for e in elements if e not in self.elements]):
            raise SpecError(f"{self.family} does not know {', '.join(unknown)}")

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages.

        Raises:
            MissingSoftware: if one is not installed.
        """
        found = {}
        for name in self.distributions:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError as error:
                raise self._not_installed(name) from error
        return found

    def weights_file(self, own: Path | None = None) -> tuple[Path, str] | None:
        """Return the file of weights with its SHA-256; None where it has none.

        Args:
            own: file to take in place of the package's.

        Raises:
            MissingSoftware: if the package or the file is not there. None is ever downloaded.
            PotentialError: if the file is of another model, or ``own`` cannot be taken.
        """
        if own is not None:
            return self._own_file(own)
        if self.weights is None:
            return None
        weights = self.weights
        spec = find_spec(weights.package)
        if spec is None or spec.origin is None:
            raise self._not_installed(self.distributions[0] if self.distributions else "")
        path = Path(spec.origin).parent / weights.path
        if not path.is_file():
            raise self._no_file(path)
        digest = _digest(path)
        if weights.sha256 and digest != weights.sha256:
            raise PotentialError(
                f"{self.family}'s weights are of another model: SHA-256 {digest[:12]}…, not "
                f"{weights.sha256[:12]}…",
                where=str(path),
                remedy=f"Install {self.distributions[0]} again, or take another model.",
            )
        return path, digest

    def _own_file(self, own: Path) -> tuple[Path, str]:
        if not self.reads_own_weights:
            raise PotentialError(
                f"{self.family} takes no weights from a campaign",
                where="tiers, weights",
                remedy="Leave weights out, or install an entry point of alloop.calculators that "
                "reads them.",
            )
        if not own.is_file():
            raise MissingSoftware(
                f"there is no file of weights for {self.family}; none is downloaded",
                where=str(own),
                remedy="Put the file there, or leave weights out.",
            )
        return own, _digest(own)

    def _no_file(self, path: Path) -> MissingSoftware:
        weights = self.weights
        assert weights is not None
        if weights.source:
            return MissingSoftware(
                f"these weights of {self.family} are not in its wheel, and none are downloaded",
                where=str(path),
                remedy=f"Put the file there ({weights.source}), name it as `weights`, or take "
                "another model; `alloop kinds` lists them.",
            )
        return MissingSoftware(
            f"{self.family}'s weights are not where its wheel puts them",
            where=str(path),
            remedy=f"Install {self.distributions[0]} again.",
        )

    def _not_installed(self, distribution: str) -> MissingSoftware:
        return MissingSoftware(
            f"{self.family} is not installed", remedy=f"Run `pip install {distribution}`."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
