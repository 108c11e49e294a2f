"""Campaigns whose higher tier is VASP, typed as a user types them, against a test double of VASP.

The test double calculates with the potential of the cheap tier, so that a right label of the dear
tier is close to the cheap one's, and a wrong label is seen. What the test double gives without
faults is the label itself.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from alloop.loop.commands.app import main
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import FailureKind, Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.settings.profiles import Profile, VaspSettings

pytestmark = [
    # As in tests/oracles/dft/test_vasp.py.
    pytest.mark.filterwarnings("ignore:ISMEAR = 0 with a small SIGMA"),
    pytest.mark.filterwarnings("ignore:No POTCAR file with matching TITEL fields"),
]

STAND_IN = Path(__file__).parents[1] / "oracles" / "dft" / "stand_in" / "vasp_std"

TINY = {
    "space.atoms": "16",
    "budget.initial": "6",
    "budget.rounds": "0",
    "execution.workers": "1",
    "promotion.keep_structure": "false",
    "tiers.1.engine": "vasp",
}
"""A ready campaign as small as it can be, its second tier another engine's."""

ONE = {"tiers.1.promote": "1", "budget.measurements": "[600, 1]"}
SHORT = {"constraints": "[]", "tiers.1.protocol": "relax"}
"""Two relaxations and four strained cells for a candidate, and no elements."""
RUNS = 6
"""Starts of VASP for such a candidate, and for the self-test before it, which is of nickel."""
SELF_TEST = ["", "", ""]
"""Submissions of the self-test, nothing going wrong: a relaxation, cells at either strain."""
LIMIT = 1200.0
"""Seconds after which something hangs, even on a machine with much else to do."""


class Campaign:
    """A small campaign in its folder, with a program vasp_std on the PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self._runs = folder / "run", folder / "vasp-runs"
        self._jobs, self._monkeypatch = folder / "jobs", monkeypatch
        bin = folder / "bin"
        bin.mkdir()
        (bin / "vasp_std").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
        (bin / "vasp_std").chmod(0o755)
        path = f"{bin}{os.pathsep}{os.environ['PATH']}"
        settings = folder / "settings.yaml"
        settings.write_text("profiles: {default: {vasp: {potcar_spec: true, poll: 0.05}}}")
        settings.chmod(0o600)
        self._environment = {
            "PATH": path,
            "VASP_STAND_IN_RUNS": str(self._runs),
            "ALLOOP_SETTINGS": str(settings),
        }

    def start(self, settings: dict[str, str], fault: str, **environment: str) -> subprocess.Popen:
        """Type `alloop launch` in a process of its own, which can be killed."""
        program = [sys.executable, "-c", "from alloop.loop.commands.app import main; main()"]
        fault_of_vasp = {"VASP_STAND_IN_FAULT": fault}
        return subprocess.Popen(
            [*program, *self._words(settings)],
            env=os.environ | self._environment | fault_of_vasp | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, settings: dict[str, str], fault: str = "") -> RunFolder:
        """Type it in this process, to its end; a campaign that has begun is resumed."""
        with self._monkeypatch.context() as patch:
            for name, value in self._environment.items():
                patch.setenv(name, value)
            patch.setenv("VASP_STAND_IN_FAULT", fault)
            patch.setattr(sys, "argv", ["alloop", *self._words(settings)])
            with pytest.raises(SystemExit) as end:
                main()
        assert not end.value.code
        assert verify(self.run).ok
        folder = RunFolder.read(self.run)
        assert folder.state.closed is not None
        return folder

    def _words(self, settings: dict[str, str]) -> list[str]:
        settings = TINY | {"tiers.1.folder": str(self._jobs)} | settings
        words = [word for item in settings.items() for word in ("--set", "=".join(item))]
        return ["launch", "nifecr-bulk-modulus", "--run", str(self.run), *words]

    def vasp_runs(self) -> list[tuple[int, str]]:
        """Return process and submission of every start of VASP."""
        lines = self._runs.read_text().splitlines() if self._runs.exists() else []
        return [(int(process), submission) for process, submission in map(str.split, lines)]

    def wait_for_vasp(self) -> psutil.Process:
        """Wait until VASP runs for the first time."""
        until = time.monotonic() + LIMIT
        while not self.vasp_runs():
            assert time.monotonic() < until, "VASP was never started"
            time.sleep(0.05)
        return psutil.Process(self.vasp_runs()[0][0])


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    return Campaign(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def fault_free(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for jobs without faults, each of which is run once for all tests."""
    return tmp_path_factory.mktemp("fault-free")


def has_ended(process: psutil.Process) -> bool:
    """Return whether nothing of a process is left but what its parent did not ask for."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def assert_labels_are_right(folder: RunFolder) -> None:
    """Compare what the higher tier says with what the cheap one says of the same candidates.

    They relax by other paths, and a random alloy has several minima close to each other.
    """
    cheap = {m.candidate: m.properties for m in folder.state.answers(tier=0)}
    for dear in folder.state.answers(tier=1):
        assert "VASP PBE" in dear.oracle
        for name, tolerance in (
            ("energy_per_atom", 0.03),
            ("formation_energy_per_atom", 0.03),
            ("volume_per_atom", 0.2),
            ("bulk_modulus", 10.0),
        ):
            if name in dear.properties and name in cheap[dear.candidate]:
                expected = cheap[dear.candidate][name]
                assert dear.properties[name] == pytest.approx(expected, abs=tolerance), name


def assert_labels_are_those_without_faults(folder: RunFolder, jobs: Path) -> None:
    """Compare with what the higher tier's oracle gives outside a campaign, nothing going wrong."""
    spec = folder.state.spec
    tier = spec.tiers[1]
    assert isinstance(tier, DftOptions)
    vasp = VaspSettings(command=(sys.executable, str(STAND_IN)), potcar_spec=True, poll=0.05)
    options = tier.model_copy(update={"folder": jobs})
    oracle = DftOracle(options, elements=spec.space.elements, profile=Profile(vasp=vasp))
    for label in folder.state.answers(tier=1):
        expected = oracle.measure(folder.store.get_material(label.candidate))
        assert expected.status is Status.OK, expected.failure
        assert label.fingerprint == expected.fingerprint
        assert label.properties == pytest.approx(dict(expected.properties), rel=1e-9)


@pytest.mark.nightly  # in CI the labels beside faults are looked at
def test_the_ready_campaign_is_the_same_file_where_there_is_vasp(
    campaign: Campaign, fault_free: Path
) -> None:
    folder = campaign.finish(ONE | {"tiers.1.folder": str(fault_free)})
    (dear,) = folder.state.answers(tier=1)
    assert dear.candidate == folder.state.best().candidate
    assert_labels_are_right(folder)
    kept = json.loads(folder.store.get(dear.document))
    assert [flow["stage"] for flow in kept["flows"]] == ["relax", "strain 0.01", "strain 0.005"]
    names = {submission for _, submission in campaign.vasp_runs()}
    assert {flow["submission"] for flow in kept["flows"]} < names
    assert set(kept["references"]) == {"Ni", "Fe", "Cr"}
    # Two relaxations of the candidate and of each element, four strained cells of the candidate
    # and, for the self-test, of nickel.
    assert len(campaign.vasp_runs()) == 2 * (1 + 3) + 4 + 4


def test_every_fault_is_a_failure_or_a_retry_and_never_a_wrong_label(
    campaign: Campaign, fault_free: Path
) -> None:
    faults = {
        "unconverged": FailureKind.NOT_CONVERGED,
        "no-energy": FailureKind.UNPHYSICAL,
        "killed:1": None,  # its second run gives the label
    }
    promoted = {
        "budget.initial": "6",
        "tiers.1.promote": "3",
        "budget.measurements": "[600, 3]",
    }
    state = (folder := campaign.finish(SHORT | promoted, ",".join([*SELF_TEST, *faults]))).state
    found = [state.measured[each.id] for each in state.evaluations if each.tier == 1]
    submissions = list(dict.fromkeys(submission for _, submission in campaign.vasp_runs()))
    assert len(found) == len(faults)
    assert [m.failure_kind for m in found] == list(faults.values())
    assert [m.status is Status.OK for m in found] == [kind is None for kind in faults.values()]
    assert all(m.properties == {} and m.failure_message for m in found[:-1])
    assert_labels_are_right(folder)
    assert_labels_are_those_without_faults(folder, fault_free)
    runs = [submission for _, submission in campaign.vasp_runs()]
    # killed once, two relaxations
    assert runs.count(submissions[len(SELF_TEST) + 2]) == 3


@pytest.mark.nightly
def test_out_of_walltime_is_a_failure_and_never_a_label(campaign: Campaign) -> None:
    limit = {"tiers.1.timeout": "12"}
    state = campaign.finish(SHORT | ONE | limit, ",".join([*SELF_TEST, "overtime"])).state
    (found,) = (m for m in state.measured.values() if m.tier == 1)
    assert found.failure_kind is FailureKind.TIMEOUT
    assert found.properties == {}


@pytest.mark.nightly
def test_a_vasp_that_outlives_its_controller_is_waited_for(
    campaign: Campaign, fault_free: Path
) -> None:
    """The worker that watches VASP outlives its controller too, and the next one waits for it."""
    controller = campaign.start(SHORT | ONE, "slow:1", VASP_STAND_IN_PATIENCE="4")
    vasp = campaign.wait_for_vasp()
    controller.kill()
    controller.communicate()
    assert not has_ended(vasp)
    folder = campaign.finish(SHORT | ONE)
    assert len(folder.state.answers(tier=1)) == 1
    assert_labels_are_right(folder)
    assert_labels_are_those_without_faults(folder, fault_free)
    assert len(campaign.vasp_runs()) == 2 * RUNS  # as without an interruption


@pytest.mark.nightly
def test_a_vasp_whose_worker_died_too_is_ended_and_its_job_done_again(
    campaign: Campaign, fault_free: Path
) -> None:
    controller = campaign.start(SHORT | ONE, "slow:1")
    vasp = campaign.wait_for_vasp()
    workers = [
        child
        for child in psutil.Process(controller.pid).children()
        if "alloop.loop.measure.worker" in " ".join(child.cmdline())
    ]
    assert workers
    for process in (controller, *workers):
        process.kill()
    controller.communicate()
    psutil.wait_procs(workers, timeout=10)
    assert not has_ended(vasp), "VASP, in a session of its own, lives on"
    folder = campaign.finish(SHORT | ONE)
    assert has_ended(vasp)
    assert len(folder.state.answers(tier=1)) == 1
    assert_labels_are_right(folder)
    assert_labels_are_those_without_faults(folder, fault_free)
    runs = [submission for _, submission in campaign.vasp_runs()]
    assert len(runs) == 2 * RUNS + 1
    assert runs[0] == runs[1] == runs[2]  # the lost one, then both relaxations
