from pathlib import Path

import pytest

from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from benchmarks.trust.long_run import write_run


@pytest.mark.parametrize("with_hull", [False, True])
def test_a_long_run_is_one_that_alloop_reads_and_verifies(tmp_path: Path, with_hull: bool) -> None:
    best = write_run(tmp_path / "run", 500, with_hull=with_hull)
    found = verify(tmp_path / "run")
    assert (found.ok, found.n_events) == (True, 500)
    state = RunFolder.read(tmp_path / "run").state
    assert state.closed == "all rounds are done"
    top = state.best()
    assert top is not None
    assert top.candidate == best
