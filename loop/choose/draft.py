"""Drafts: proposed materials before they are screened."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alloop.loop.choose.moves.compositions import rounded
from alloop.loop.choose.screening import CandidateRejection, Seen, lattice_of, screen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Posterior
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, formula_of, material_id
from alloop.space import AnySpace, Space

if TYPE_CHECKING:
    from torch import Tensor

    from alloop.models.base import GenerativeModel


@dataclass(frozen=True)
class Draft:
    """A proposed material with its lineage, before screening."""

    material: Material
    lineage: Lineage

    @cached_property
    def id(self) -> str:
        """Id of the material, a hash of its canonical content."""
        return material_id(self.material)

    def decide(
        self,
        space: Space,
        *,
        rejection: CandidateRejection | None,
        reason: str,
        acquisition: float | None = None,
        posterior: dict[str, Posterior] | None = None,
        high_fidelity: dict[str, Posterior] | None = None,
    ) -> Decision:
        """Return the decision on it, in a space: rejected by a rule, or chosen for a reason."""
        return Decision(
            candidate=self.id,
            formula=formula_of(self.material),
            lattice=lattice_of(self.material, space),
            chosen=rejection is None,
            rule=rejection.rule if rejection else None,
            margin=rejection.margin if rejection else None,
            reason=rejection.reason if rejection else reason,
            acquisition=acquisition,
            posterior=posterior or {},
            high_fidelity=high_fidelity or {},
            lineage=self.lineage,
        )


def take(
    state: CampaignState, seen: Seen, drafts: Iterator[Draft], size: int, *, reason: str
) -> list[tuple[Draft, Decision]]:
    """Screen drafts in their order until ``size`` have passed; return all that were looked at.

    Args:
        state: whose space the drafts must lie in.
        seen: an overlay; what is taken is added to it.
        drafts: in the order of their screening.
        size: most to take.
        reason: why they are chosen, for people.
    """
    looked_at: list[tuple[Draft, Decision]] = []
    passed = 0
    for draft in drafts:
        if passed == size:
            break
        rejection = screen(draft.material, state.spec.space, seen)
        decision = draft.decide(state.spec.space, rejection=rejection, reason=reason)
        if decision.chosen:
            seen.add(decision.candidate, draft.material)
            passed += 1
        looked_at.append((draft, decision))
    return looked_at


def decode_latents(
    model: "GenerativeModel",
    checkpoint: str,
    latents: "Tensor",
    store: ArtifactStore,
    *,
    space: AnySpace,
    seed: int,
) -> list[Draft]:
    """Return what latent points decode to, one draft a row, and store the points.

    Fractions of alloys are rounded to the steps of the space, where it has its own.

    Args:
        model: fitted.
        checkpoint: its artifact, for the lineage.
        latents: shape (n, d).
        store: receives the points, so that a lineage can name its row.
        space: of the campaign.
        seed: of the decoding.
    """
    buffer = io.BytesIO()
    np.save(buffer, latents.numpy(), allow_pickle=False)
    array = store.put(buffer.getvalue())
    return [
        Draft(
            material,
            Lineage(source="latent", model=checkpoint, latents=array, row=row, seed=seed),
        )
        for row, material in enumerate(rounded(model.decode(latents, seed=seed), space))
    ]
