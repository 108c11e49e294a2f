"""Input for the program behind an oracle, by which anybody gets its values again without Alloop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass(frozen=True)
class RemeasuringInput:
    """Files that a program reads, and the values that it is to print.

    The program prints a line ``value NAME NUMBER`` for each.
    """

    program: str
    """Name of the program, as it stands on the PATH."""
    variable: str
    """Environment variable that names it where it is elsewhere."""
    arguments: tuple[str, ...]
    """Plain words that follow the program's name."""
    files: Mapping[str, bytes]
    """Content of each file by its name, a plain one."""
    expected: Mapping[str, float]
    """Recorded values by property name."""
    tolerances: Mapping[str, float]
    """Largest difference of each, relative to its size; absolute where that is below 1."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Reason why a recorded property is not measured again, by name."""


@runtime_checkable
class CanRemeasure(Protocol):
    """Options of a tier whose values come from a program that anybody can run on plain input."""

    def remeasuring_input(
        self, relaxed: "Structure", properties: Mapping[str, float], remarks: Mapping[str, str]
    ) -> RemeasuringInput:
        """Return the input that gives the properties of a relaxed structure again.

        Args:
            relaxed: the structure at rest, as it was recorded.
            properties: recorded values, by name.
            remarks: how the oracle came to a value where that was not the usual way, by name.

        Raises:
            AlloopError: if something that the program reads is not at hand any more.
        """
