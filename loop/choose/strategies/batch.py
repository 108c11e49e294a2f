"""A batch that a strategy fills draft by draft, with a decision for each."""

from collections.abc import Iterator, Sequence

from alloop.loop.choose.candidate_pool import DRAWS_PER_CHOICE, draws
from alloop.loop.choose.draft import Draft, take
from alloop.loop.choose.screening import Seen, screen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.seeds import derive_seed


class Batch:
    """A round's batch while it is filled; nothing is in it that was measured or is in it already.

    Args:
        state: with labels.
        seen: everything measured or pending.
        round: whose batch it is.
    """

    def __init__(self, state: CampaignState, seen: Seen, round: int) -> None:
        self._state, self._round = state, round
        self._known = seen.overlay()
        self._looked_at: list[tuple[Draft, Decision]] = []
        self._met: set[str] = set()
        """Vetoed candidates that the strategy has come upon."""
        self.size = state.batch_size
        """Number of candidates wanted."""
        self.n_chosen = 0

    @property
    def n_missing(self) -> int:
        """Number of candidates still wanted."""
        return self.size - self.n_chosen

    def take(self, drafts: Iterator[Draft], n: int, *, reason: str) -> int:
        """Choose up to n drafts that pass the screening, in their order; return how many."""
        wanted = min(n, self.n_missing)
        taken = take(self._state, self._known, drafts, wanted, reason=reason)
        self._looked_at += taken
        n_taken = sum(decision.chosen for _, decision in taken)
        self.n_chosen += n_taken
        return n_taken

    def knows(self, draft: Draft) -> bool:
        """Return whether an equivalent of it was measured, vetoed, or is in the batch. The first
        that meets a veto is recorded with it."""
        twin = self._known.equivalent(draft.material)
        if twin in self._known.vetoed and twin not in self._met:
            self._met.add(twin)
            self.screen([draft])
        return twin is not None

    def screen(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts that pass the screening, each once; the others are rejected."""
        passed, space = [], self._state.spec.space
        for draft in drafts:
            rejection = screen(draft.material, space, self._known)
            if rejection is None:
                self._known.add(draft.id, draft.material)
                passed.append(draft)
            else:
                self._looked_at.append((draft, draft.decide(space, rejection=rejection, reason="")))
        return passed

    def decide(self, decided: Sequence[tuple[Draft, Decision]]) -> None:
        """Take in decisions on drafts that passed the screening."""
        self._looked_at += decided
        self.n_chosen += sum(decision.chosen for _, decision in decided)

    def fill(self) -> None:
        """Fill up with random draws, so that no measurement of the batch is lost."""
        if not self.n_missing:
            return
        seed = derive_seed(self._state.spec.seed, Stage.ACQUISITION, self._round, "fill")
        drafts = draws(self._state, self._known, seed, DRAWS_PER_CHOICE * self.n_missing)
        self.take(drafts, self.n_missing, reason="drawn at random: the strategy found too few")

    def proposed(self, store: ArtifactStore, notes: dict[str, float | str]) -> Proposed:
        """Return the proposal of what was looked at, and store its materials."""
        store.put_materials([draft.material for draft, _ in self._looked_at])
        return Proposed(
            round=self._round,
            stage=Stage.ACQUISITION,
            decisions=tuple(decision for _, decision in self._looked_at),
            notes={"measured": float(len(self._state.answers())), **notes},
        )
