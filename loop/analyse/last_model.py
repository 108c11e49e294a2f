"""The last model of a run, and what it can do; light, so that a report without a model is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from alloop.errors import MaterialError, RunError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material
from alloop.models.analyses import CanExplain
from alloop.models.base import GenerativeModel

MOST = 1500
"""Most known materials that an analysis looks at: evenly taken from all."""

T = TypeVar("T")


def load_model(state: CampaignState, store: ArtifactStore) -> tuple[GenerativeModel, int]:
    """Return a run's last model and the round that it was trained in.

    Raises:
        RunError: if the run has trained none, saying why.
        LedgerError: if its checkpoint is missing or was changed.
        ModelError: if the checkpoint cannot be read.
    """
    if not state.models:
        strategy = state.spec.acquisition.strategy
        raise RunError(
            f"no model has been trained in this run: its strategy is {strategy}, and "
            f"{len(state.answers())} values are known",
            remedy="`alloop evaluate` judges its predictions all the same, and `alloop status`, "
            "`report`, `audit` and `explain` need no model.",
        )
    round = max(state.models)
    return store.read(state.models[round].checkpoint, state.spec.model.load), round


def possible_analyses(model: GenerativeModel) -> tuple[str, ...]:
    """Return the commands that can be given about a run with this model."""
    possible = ("latent", "design", "evaluate")
    return (*possible, "importance") if isinstance(model, CanExplain) else possible


def evenly(items: Sequence[T], most: int) -> Sequence[T]:
    """Return evenly spaced items, the first among them: all, or at most so many."""
    return items[:: -(-len(items) // most) or 1]


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Run the block on one thread with torch's draws from a seed, and leave torch as it was."""
    import torch  # noqa: PLC0415 (a report without a model does without it)

    from alloop.models.threads import single_thread  # noqa: PLC0415

    with single_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def encodable(model: GenerativeModel, materials: Sequence[Material]) -> list[int]:
    """Return the rows of materials that a model can represent."""
    try:
        with deterministic(0):
            model.encode(materials)
    except MaterialError:
        if len(materials) == 1:
            return []
        half = len(materials) // 2
        first, second = materials[:half], materials[half:]
        return encodable(model, first) + [half + row for row in encodable(model, second)]
    return list(range(len(materials)))
