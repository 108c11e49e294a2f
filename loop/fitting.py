"""The fit of a round's model, and where it is kept while it lasts."""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alloop.durable import write_durably
from alloop.errors import RunError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import ModelFitted
from alloop.loop.record.own_files import read_kept
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.base import Dataset, GenerativeModel, OnProgress, ResumesFit
from alloop.models.options import StartsFromCheckpoint
from alloop.seeds import derive_seed
from alloop.user_key import seal, verify_seal

MOST_BYTES = 4_000_000_000
"""Largest fit in progress that is read: weights, their average and the optimiser's two moments."""

_SEAL_LENGTH = 64
_PURPOSE = "fit in progress"

_log = logging.getLogger("alloop")


@dataclass(frozen=True)
class SealedFit:
    """A round's fit in progress, in the run folder, under the user's seal.

    Nothing is believed because it lies there: the seal covers the run, the round and every byte,
    and is checked before any of them is parsed.
    """

    path: Path
    about: bytes
    """Run and round that it belongs to."""

    @classmethod
    def of_round(cls, run: Path, origin: str, round: int) -> "SealedFit":
        """Return the place of a round's fit.

        Args:
            run: the run directory.
            origin: hash of the ledger's first entry, which no other run has.
            round: of the fit.
        """
        return cls(run / "fit.training", f"{origin} round {round}".encode())

    def read(self) -> bytes | None:
        """Return what was kept last; None if there is nothing, or nothing that this user's Alloop
        wrote for this very fit.

        Raises:
            RunError: if the file is there and cannot be opened.
        """
        if (content := read_kept(self.path, MOST_BYTES)) is None:
            return None
        sealed, body = content[:_SEAL_LENGTH], content[_SEAL_LENGTH:]
        if not verify_seal(sealed.decode("latin-1"), _PURPOSE, self.about, body):
            _log.warning("%s: it is no fit in progress of this round; not used", self.path)
            return None
        return body

    def write(self, content: bytes) -> None:
        """Keep this, sealed, in place of what was kept before.

        Raises:
            RunError: if it cannot be written.
        """
        sealed = seal(_PURPOSE, self.about, content)
        write_durably(self.path, sealed.encode() + content)

    def remove(self) -> None:
        """Remove what was kept."""
        self.path.unlink(missing_ok=True)


def fit_round(
    state: CampaignState,
    store: ArtifactStore,
    data: Callable[[GenerativeModel], Dataset],
    round: int,
    kept: SealedFit,
    on_progress: OnProgress,
) -> ModelFitted:
    """Fit the model of a round and store its checkpoint.

    Args:
        state: of the campaign.
        store: of its checkpoints.
        data: gives what a model is to learn from.
        round: of the model; it goes on from the weights of the round before.
        kept: where a model that can keeps its fit while it lasts.
        on_progress: told how far the fit is.

    Raises:
        RunError: if the checkpoint cannot be stored.
    """
    model = _model_to_fit(state, store, round)
    rows, seed = data(model), derive_seed(state.spec.seed, "fit", round)
    if isinstance(model, ResumesFit):
        summary = model.fit_kept(rows, seed=seed, kept=kept, on_progress=on_progress)
    else:
        summary = model.fit(rows, seed=seed, on_progress=on_progress)
    try:
        with tempfile.TemporaryDirectory(dir=kept.path.parent) as folder:
            model.save(Path(folder) / "model.safetensors")
            checkpoint = store.put_file(Path(folder) / "model.safetensors")
    except OSError as error:
        raise RunError(
            f"the model cannot be stored ({error.strerror})",
            where=str(kept.path.parent),
            remedy="Make room or restore access, then `alloop resume`.",
        ) from error
    return ModelFitted(
        round=round,
        checkpoint=checkpoint,
        n_labelled=summary.n_labelled,
        n_unlabelled=summary.n_unlabelled,
        epochs=summary.epochs,
        seconds=summary.seconds,
        metrics=summary.metrics,
    )


def _model_to_fit(state: CampaignState, store: ArtifactStore, round: int) -> GenerativeModel:
    """Return the model of the round before, one that starts from a checkpoint, or a new one."""
    options, names = state.spec.model, state.spec.property_names()
    previous = state.models.get(round - 1)
    if previous is not None and round - 1 not in state.outdated_models:
        return store.read(previous.checkpoint, options.load)
    if (start := state.start_checkpoint) is not None:
        assert isinstance(options, StartsFromCheckpoint)  # it had a checkpoint to start from
        return store.read(start, lambda path: options.start(path, state.spec.space, names))
    return options.build(state.spec.space, names)
