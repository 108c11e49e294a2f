"""Files that were moved with a run are found by their names, nearest to the run first."""

from pathlib import Path

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.moved_files import with_moved_files, without_folders
from tests.loop.small_campaign import SPEC


def spec_in(folder: Path) -> CampaignSpec:
    potential = {
        "name": "mine",
        "pair_style": "eam/alloy",
        "files": ["potentials/a.eam"],
        "elements": ["Ni", "Fe", "Cr"],
    }
    tiers = [{"kind": "lammps", "potential": potential}]
    return parse_spec({**SPEC, "tiers": tiers}, where="test", folder=folder)


def place_of(spec: CampaignSpec) -> Path:
    return Path(spec.tiers[0].model_dump()["potential"]["files"][0])


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    own = written(tmp_path / "old" / "potentials" / "a.eam")
    written(tmp_path / "new" / "potentials" / "a.eam")
    spec = spec_in(tmp_path / "old")
    assert with_moved_files(spec, tmp_path / "new" / "runs" / "r") is spec
    assert place_of(spec) == own


def test_a_moved_file_is_found_with_as_much_of_its_path_as_there_is(tmp_path: Path) -> None:
    spec = spec_in(tmp_path / "old")
    written(tmp_path / "new" / "a.eam")
    wanted = written(tmp_path / "new" / "potentials" / "a.eam")
    moved = with_moved_files(spec, tmp_path / "new" / "runs" / "r")
    assert place_of(moved) == wanted
    assert without_folders(moved) == without_folders(spec)
    assert moved != spec


def test_a_file_that_is_nowhere_keeps_its_path(tmp_path: Path) -> None:
    spec = spec_in(tmp_path / "old")
    assert with_moved_files(spec, tmp_path / "new" / "runs" / "r") == spec
