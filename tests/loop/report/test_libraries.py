"""Libraries are those of npm, packed into the page with their licences."""

import base64
import gzip
import hashlib
import re

import pytest

from alloop.loop.report.libraries import FILES, VENDOR, library
from alloop.loop.report.packing import Packing


def test_files_are_those_that_the_table_names() -> None:
    table = (VENDOR / "README.md").read_text("utf-8")
    named = dict(re.findall(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", table, flags=re.MULTILINE))
    assert set(named) == {script for script, _ in FILES.values()}
    for file, digest in named.items():
        assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", FILES)
def test_a_packed_library_comes_with_its_licence(name: str) -> None:
    found = library(name)
    script = gzip.decompress(base64.b64decode(found.packed)).decode()
    assert script == found.script
    assert script.startswith("/*!\n")
    licence, _, rest = script.partition("*/")
    assert "Copyright" in licence
    assert (VENDOR / FILES[name][0]).read_text("utf-8") in rest
    assert found.packed == library(name).packed


def test_a_column_of_which_most_is_missing_is_packed_by_place() -> None:
    packing = Packing()
    assert packing.column([None, None, 1.5, None]) == {"at": [2], "values": [1.5]}
    assert packing.column([None, None]) == {"at": [], "values": []}
    assert packing.column([1.5, None]) == [1.5, None]
    assert packing.column(["a", None, "a"]) == {"places": [0, None, 0]}
