"""The Materials Project, played by a stand-in for its client."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, Self

import pytest
from pymatgen.core import Lattice, Structure

from alloop.errors import DataError, MissingSoftware
from alloop.models.crystal_table import read_crystal_table
from alloop.public_data.materials_project import KEY, fetch_materials_project

SECRET = "k" * 32


def document(name: str, a: str, gap: float | None, above: float) -> SimpleNamespace:
    coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return SimpleNamespace(
        material_id=name,
        structure=Structure(Lattice.cubic(3.9), [a, "Ti", "O", "O", "O"], coords),
        formation_energy_per_atom=-3.5,
        energy_above_hull=above,
        band_gap=gap,
    )


class Rester:
    """Answers like ``MPRester``, and remembers what it was asked."""

    asked: ClassVar[list[dict[str, Any]]] = []
    error: ClassVar[Exception | None] = None

    def __init__(self, key: str) -> None:
        assert key == SECRET
        self.materials = SimpleNamespace(summary=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def search(self, **query: Any) -> list[SimpleNamespace]:
        if self.error:
            raise self.error
        self.asked.append(query)
        return [
            document("mp-2", "Sr", None, 0.0),
            document("mp-1", "Ba", 1.7, 0.05),
            document("mp-3", "Ca", 1.8, 0.08),
        ]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> type[Rester]:
    module = ModuleType("mp_api.client")
    module.MPRester = Rester  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mp_api", ModuleType("mp_api"))
    monkeypatch.setitem(sys.modules, "mp_api.client", module)
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setattr(Rester, "asked", [])
    monkeypatch.setattr(Rester, "error", None)
    return Rester


def test_the_papers_query_is_asked_once_and_kept(client: type[Rester], tmp_path: Path) -> None:
    path = fetch_materials_project(tmp_path)
    assert fetch_materials_project(tmp_path) == path
    (query,) = client.asked
    assert query["num_elements"] == (3, 3)
    assert query["num_sites"][1] == 20
    assert query["energy_above_hull"][1] == 0.08
    columns = {name: name for name in ("formation_energy_per_atom", "band_gap")}
    table = read_crystal_table(path, columns)
    assert table.names == ("mp-1", "mp-2")  # below 0.08, not at it
    assert table.data.labels[0].tolist() == [-3.5, 1.7]
    assert table.data.labels[1, 1] != table.data.labels[1, 1]  # not known
    assert table.data.materials[0].composition.reduced_formula == "BaTiO3"
    assert SECRET not in path.read_text("utf-8")


def test_what_is_missing_is_said(
    client: type[Rester], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "error", ValueError(f"wrong key {SECRET}"))
    with pytest.raises(DataError, match="did not answer") as refused:
        fetch_materials_project(tmp_path)
    assert SECRET not in str(refused.value)
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    with pytest.raises(MissingSoftware, match=r"alloop\[materials-project\]"):
        fetch_materials_project(tmp_path)
    monkeypatch.delenv(KEY)
    with pytest.raises(DataError, match="key of your own"):
        fetch_materials_project(tmp_path)
    assert not list(tmp_path.rglob("*.csv"))
