"""The interface of an engine: makers of jobs that calculate energy, stress and relaxed cells."""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure


class Engine(Protocol):
    """Engine of a DFT tier: the makers that a flow is built from. Every maker's output is a
    document of atomate2's."""

    @property
    def name(self) -> str:
        """Name for people; CHGNet's says that it is a learned potential."""

    def check(self, elements: Iterable[str]) -> None:
        """Check that the engine can run and treat the elements; no program is started.

        Raises:
            MissingSoftware: if a program or a file of its is not there.
            SpecError: if its settings cannot work.
        """

    def settings(self) -> dict[str, Any]:
        """Return all settings that change a value, as plain JSON."""

    def relaxation(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """Return the job that relaxes a cell and its atoms within a time."""

    def fixed_cell(self, structure: Structure, *, seconds: float) -> Maker:
        """Return a maker that relaxes atoms in fixed cells that differ little from the given one,
        with everything that depends on the cell, such as the k-point mesh, taken from that one.
        """

    def single_point(self, structure: Structure, *, seconds: float) -> Job | Flow:
        """Return the job that calculates a cell as it is."""

    def elasticity(
        self, structure: Structure, *, stress: list[list[float]], seconds: float
    ) -> Flow:
        """Return the flow whose output is atomate2's elastic document of a relaxed cell, with the
        stress in kbar that its relaxation has left.
        """

    def reading(self, output: Any) -> dict[str, Any]:
        """Return the places of ``summarise``'s arguments in a maker's output."""

    def identity(self, structure: Structure) -> dict[str, Any]:
        """Return the settings that a calculation must report to be of this level of theory, in the
        words of ``summarise``; nothing where an engine cannot differ from what it was told."""


@runtime_checkable
class BandEngine(Engine, Protocol):
    """An engine that also knows the bands of the electrons."""

    def bands(self, structure: Structure, *, density: float, seconds: float) -> Flow:
        """Return the flow that calculates a cell as it is, then its bands on a dense mesh; its
        output is the document of the latter.

        Args:
            structure: relaxed.
            density: k-points per Å⁻³ of the reciprocal cell.
            seconds: time of each job.
        """
