"""A package of somebody's own, installed by pip: its oracle and its model run a campaign.

The package is ``examples/plugin``, which the documentation shows.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from alloop.errors import PluginError, RunError
from alloop.loop.record.events import CampaignOpened, Measured
from alloop.loop.record.ledger import Ledger
from alloop.loop.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "plugin"
SPEC = PLUGIN / "hardness.yaml"

CHECKS = """
import sys
from pathlib import Path
import numpy as np
from pymatgen.core import Composition, Lattice, Structure
from alloop.models import Dataset
from alloop.testing import check_model, check_oracle
from charge_balance import ChargeBalanceOptions
from hardness_rig import HardnessRigOptions
from linear_fractions import LinearFractionsOptions
from alloop.space import Compositions

crystal = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
oracle = HardnessRigOptions().build(("Cu", "Ni"))
check_oracle(oracle, good=Composition("Cu3Ni"), bad=[Composition("Pu")])
assert oracle.measure(crystal).properties == {"vickers_hardness": 369.0}

check_oracle(ChargeBalanceOptions().build(()), good=Composition("SrTiO3"), bad=[])
assert ChargeBalanceOptions().build(()).measure(Composition("NiTi")).properties == {
    "synthesizability": 0.0
}

alloys = tuple(Composition({"Cu": x, "Ni": 1 - x}) for x in np.linspace(0.05, 0.95, 12))
labels = np.array([[oracle.measure(alloy).properties["vickers_hardness"]] for alloy in alloys])
data = Dataset(alloys, ("vickers_hardness",), labels, np.zeros(12, dtype=bool))
space = Compositions(kind="compositions", elements=("Cu", "Ni"))
options = LinearFractionsOptions()
check_model(
    lambda: options.build(space, ("vickers_hardness",)),
    data,
    foreign=[Composition("Pu")],
    folder=Path(sys.argv[1]),
)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's interpreter, with the plugin installed by pip.

    What Alloop needs is found in the environment that runs the tests, rather than installed again.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    interpreter = home / "bin" / "python"
    packages = subprocess.run(
        [interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    parent = sysconfig.get_path("purelib")
    (Path(packages) / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    install = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"]
    install += ["--disable-pip-version-check", "--no-deps", "--no-build-isolation", str(PLUGIN)]
    subprocess.run(install, check=True, timeout=300)
    return interpreter


def alloop(python: Path, *words: str | Path, code: int = 0) -> str:
    """Return what a command prints, on both streams."""
    command = [str(python), "-m", "alloop", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=python.parent, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the plugin's campaign that nobody disturbed."""
    run = tmp_path_factory.mktemp("runs") / "hardness"
    said = alloop(python, "launch", SPEC, "--run", run)
    assert "closed: all 3 rounds are done" in said
    assert "MPa" in said
    return run


def test_the_checks_for_everybody_s_oracles_and_models_pass(python: Path, tmp_path: Path) -> None:
    subprocess.run([python, "-c", CHECKS, tmp_path], check=True, timeout=300, cwd=tmp_path)


def test_its_kinds_are_listed_with_package_and_version(python: Path) -> None:
    rows = json.loads(alloop(python, "kinds", "--format", "json"))
    own = {row["kind"]: row for row in rows if row["package"] == "alloop-example-plugin"}
    assert set(own) == {"charge-balance", "hardness-rig", "linear-fractions"}
    assert all(row["version"] == "0.1" for row in own.values())


@pytest.mark.parametrize("engine", ["espresso", "vasp"])
def test_what_a_power_factor_lacks_here_is_one_sentence(python: Path, engine: str) -> None:
    has_pw, has_boltztrap = shutil.which("pw.x"), find_spec("BoltzTraP2")
    if engine == "espresso" and has_pw and has_boltztrap:
        pytest.skip("nothing is missing here")
    spec = PLUGIN / "power-factor.yaml"
    words = () if engine == "espresso" else ("--set", "tiers.0.parts.1.engine=vasp")
    said = " ".join(alloop(python, "check", spec, *words, code=2).split())
    if engine == "vasp":
        assert "there is no program 'vasp_std'" in said
        assert "Load VASP's module" in said
    elif has_pw:
        assert "power factors need BoltzTraP2" in said
    else:
        assert "there is no program 'pw.x'" in said


def test_its_campaign_runs_reports_and_replays(python: Path, run: Path) -> None:
    assert "vickers_hardness" in alloop(python, "status", run)
    assert "whole" in alloop(python, "verify", run)
    for round in ("1", "2", "3"):
        assert "follow again" in alloop(python, "replay", run, round)
    page = (run / "report.html").read_text("utf-8")
    assert "vickers hardness" in page
    assert "MPa" in page


@pytest.mark.nightly  # in CI test_killed.py
def test_a_killed_campaign_resumes_to_the_same_decisions(
    python: Path, run: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    command = [str(python), "-m", "alloop", "launch", str(SPEC), "--run", str(killed)]
    controller = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and _n_measured(killed) < 9:  # 8 of them drawn at random
        time.sleep(0.02)
        assert controller.poll() is None, "it was to be killed before its end"
    os.killpg(controller.pid, signal.SIGKILL)
    controller.wait()
    assert "closed" in alloop(python, "resume", killed)
    assert alloop(python, "digest", killed) == alloop(python, "digest", run)


def _n_measured(run: Path) -> int:
    """Return how many measurements a run has recorded, 0 where there is none yet."""
    if not (run / "ledger.sqlite").exists():
        return 0
    try:
        with Ledger.open(run, writable=False) as ledger:
            return sum(isinstance(entry.event, Measured) for entry in ledger.entries())
    except RunError:  # it is just being made
        return 0


def test_the_first_event_names_the_package_and_without_it_the_run_says_so(
    python: Path, run: Path
) -> None:
    with Ledger.open(run, writable=False) as ledger:
        opened = next(ledger.entries()).event
    assert isinstance(opened, CampaignOpened)
    package = "alloop-example-plugin"
    assert opened.packages == {
        "alloop.models:linear-fractions": package,
        "alloop.oracles:hardness-rig": package,
    }
    assert opened.versions[package] == "0.1"
    said = alloop(Path(sys.executable), "status", run, code=2)
    assert "there is no kind 'linear-fractions'" in said
    assert "pip install alloop-example-plugin==0.1" in said
    with pytest.raises(PluginError, match=r"kind .linear-fractions"):
        RunFolder.read(run)
