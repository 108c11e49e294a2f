"""Disks that take nothing more end a campaign in a sentence."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from alloop.errors import RunError
from alloop.loop.run_folder import RunFolder
from tests.loop.choose.strategies.toys import ORDERING, search, spec_of


def test_a_model_that_cannot_be_stored_is_a_sentence_and_is_trained_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, budget = tmp_path / "run", {"initial": 4, "rounds": 1, "measurements": [6]}
    spec = spec_of(ORDERING, "latent-bo", tmp_path, budget=budget, acquisition={"batch": 2})

    def refuse(*args: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as disk:
        disk.setattr(tempfile, "TemporaryDirectory", refuse)
        with pytest.raises(RunError, match=r"run: the model cannot be stored \(Read-only"):
            search(run, spec)
    assert len(RunFolder.read(run).state.recorded) == 4
    search(run, None)
    assert len(RunFolder.read(run).state.recorded) == 6
