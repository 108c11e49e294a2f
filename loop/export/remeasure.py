"""A script by which anybody measures the best candidate again, with the program alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pymatgen.core import Structure

from alloop.loop.run_folder import RunFolder
from alloop.oracles.remeasuring import CanRemeasure, RemeasuringInput

SCRIPT = "remeasure.sh"
FOLDER = "remeasure"
EXPECTED = "expected.txt"


@dataclass(frozen=True)
class Remeasuring:
    """Best candidate of a tier, and the files that measure it again, by path in the export."""

    candidate: str
    tier: int
    files: dict[str, bytes]


def remeasuring(folder: RunFolder) -> Remeasuring | None:
    """Return what measures the best again: of the highest tier whose program anybody can run; None
    where there is none, or nothing was measured.

    Raises:
        AlloopError: if something that the program reads is not at hand any more.
    """
    for tier, options in reversed(list(enumerate(folder.state.spec.tiers))):
        best = folder.state.best(tier)
        if best is None or best.relaxed is None or not isinstance(options, CanRemeasure):
            continue
        relaxed = folder.store.get_material(best.relaxed)
        if isinstance(relaxed, Structure):
            given = options.remeasuring_input(relaxed, best.properties, best.remarks)
            return Remeasuring(best.candidate, tier, dict(_files(given)))
    return None


def _files(given: RemeasuringInput) -> Iterator[tuple[str, bytes]]:
    for name, content in given.files.items():
        assert PurePosixPath(name).name == name, "a plain file name"
        yield f"{FOLDER}/{name}", content
    lines = (
        f"{name} {value!r} {given.tolerances[name]!r}\n" for name, value in given.expected.items()
    )
    yield f"{FOLDER}/{EXPECTED}", "".join(lines).encode()
    yield SCRIPT, _script(given).encode()


def _script(given: RemeasuringInput) -> str:
    """Return a POSIX shell script. Nothing in it comes from the campaign: names of programs and of
    files are the oracle's, the values stand in a file that only awk reads."""
    words = " ".join(given.arguments)
    return f"""\
#!/bin/sh
# Measures the best candidate again and compares with what was recorded; ends with 0 if every value
# agrees, 1 if one does not. Needs {given.program} on the PATH, or named by {given.variable}.
set -eu
cd "$(dirname "$0")/{FOLDER}"
program=${{{given.variable}:-{given.program}}}
if ! command -v "$program" > /dev/null; then
    echo "$program is not there: put it on the PATH, or name it by {given.variable}" >&2
    exit 2
fi
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"$program" {words} > "$printed" || {{ tail -n 20 "$printed" >&2; exit 2; }}
awk '
    NR == FNR {{ recorded[$1] = $2; limit[$1] = $3; left++; next }}
    $1 == "value" && $2 in recorded {{
        size = recorded[$2] < 0 ? -recorded[$2] : recorded[$2]
        off = ($3 - recorded[$2]) / (size > 1 ? size : 1)
        off = off < 0 ? -off : off
        agrees = off <= limit[$2]
        printf "%s %.12g, recorded %.12g, difference %.1e: %s\\n", $2, $3, recorded[$2], off,
            agrees ? "the same" : "NOT the same"
        left--
        if (!agrees) failed = 1
    }}
    END {{
        if (left) print "not every value was printed"
        exit failed || left
    }}
' {EXPECTED} "$printed"
"""
