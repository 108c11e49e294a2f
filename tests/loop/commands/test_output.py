"""Standard output outlives its reader, and closed descriptors are no traps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alloop.loop.commands.printing.formats import print_json
from alloop.loop.commands.printing.output import LastingOutput

PRINTS = """
import sys
from alloop.loop.commands.printing.output import lasting_output, output_problem
with lasting_output():
    for i in range(20000):
        print("value", i, "Å³")
    sys.stdout.flush()
    print("problem:", output_problem() or "none", file=sys.stderr)
"""


def ran(**streams: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", PRINTS],
        stderr=subprocess.PIPE,
        check=False,
        **streams,  # type: ignore[call-overload]
    )


def test_a_reader_that_leaves_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = ran(stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"problem: none\n")


def test_a_full_disk_is_said_and_ends_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        done = ran(stdout=full)
    assert done.returncode == 0
    assert done.stderr == b"problem: No space left on device\n"


def test_a_closed_output_does_not_become_the_next_file(tmp_path: Path) -> None:
    script = PRINTS.replace(
        "    for",
        f"    file = open({str(tmp_path / 'f')!r}, 'w'); assert file.fileno() > 2\n    for",
    )
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, script], check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "f").read_text() == ""


def test_json_is_json_in_every_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json  # noqa: PLC0415

    for encoding in ("ascii", "latin-1", "utf-8"):
        with (tmp_path / encoding).open("wb") as file:
            monkeypatch.setattr("sys.stdout", LastingOutput(file, encoding, "backslashreplace"))
            print_json({"volume": "Å³σ", "file": "caf\udce9"})
            sys.stdout.flush()
        monkeypatch.undo()
        read = json.loads((tmp_path / encoding).read_text(encoding))
        assert read == {"volume": "Å³σ", "file": "caf\udce9"}
