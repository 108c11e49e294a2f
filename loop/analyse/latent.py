"""The latent map: what was measured, where the last model places it, in two dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from alloop.errors import DataError
from alloop.loop.analyse.last_model import MOST, deterministic, encodable, evenly, load_model
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials

FEWEST = 3
"""Number of measured candidates below which there is no map."""
COLOURINGS = ("phase", "round", "stage", "tier")
"""What a map can be coloured by beside a property."""


@dataclass(frozen=True)
class LatentMap:
    """Measured candidates on the plane of the two principal components of their latent points."""

    round: int
    """Round of the model that encodes them."""
    trials: tuple[Trial, ...]
    """First-tier trials that were answered, the best last: it is drawn on top of all."""
    tiers: tuple[int, ...]
    """The highest tier that has answered for each."""
    places: npt.NDArray[np.float64]
    """Places on the plane, shape (n, 2)."""
    shares: tuple[float, float]
    """Share of the latent points' variance along each component."""

    def rows(self, state: CampaignState) -> list[dict[str, Any]]:
        """Return the candidates, one a row in the order of their decisions, as plain values."""
        every = enumerate(measured_trials(state))
        order = {trial.decision.candidate: row for row, trial in every}
        rows = [self._row(state, i) for i in range(len(self.trials))]
        return sorted(rows, key=lambda row: order[row["candidate"]])

    def category(self, state: CampaignState, colouring: str, row: int) -> str:
        """Return a candidate's phase, round, stage or tier, for people; a dash for none."""
        value = self._row(state, row)["lattice" if colouring == "phase" else colouring]
        return str(value) if value not in (None, "") else "–"

    def _row(self, state: CampaignState, i: int) -> dict[str, Any]:
        trial = self.trials[i]
        assert trial.answer is not None, "only what was answered is on the map"
        decision = trial.decision
        return {
            "candidate": decision.candidate,
            "formula": decision.formula,
            "lattice": decision.lattice,
            "round": trial.proposal.round,
            "stage": trial.proposal.stage.value,
            "tier": self.tiers[i],
            "feasible": state.utility.is_feasible(trial.answer.properties),
            "first_component": float(self.places[i, 0]),
            "second_component": float(self.places[i, 1]),
            **{n: trial.answer.properties[n] for n in state.spec.property_names()},
        }


def map_latent_space(state: CampaignState, store: ArtifactStore) -> LatentMap:
    """Return the map.

    The last model encodes every measured candidate anew, since coordinates of an earlier model mean
    nothing in a later one. Of very many candidates evenly spaced ones are taken, and the best.

    Raises:
        DataError: if fewer than three candidates were measured.
        RunError, LedgerError, ModelError: if there is no model that could encode them.
    """
    model, round = load_model(state, store)
    trials = _thinned(state, [t for t in measured_trials(state) if t.answer is not None])
    materials = [store.get_material(trial.decision.candidate) for trial in trials]
    rows = encodable(model, materials) if materials else []
    if len(rows) < FEWEST:
        raise DataError(
            f"{len(rows)} measured candidates make no map",
            remedy=f"`alloop resume` measures more; {FEWEST} are enough.",
        )
    with deterministic(0):
        latents = np.asarray(model.encode([materials[row] for row in rows]), dtype=float)
    places, shares = principal_plane(latents)
    kept = tuple(trials[row] for row in rows)
    return LatentMap(round, kept, _highest_tiers(state, kept), places, shares)


def colouring_of(state: CampaignState, named: str) -> str:
    """Return what a map is coloured by: a property, or one of ``COLOURINGS``.

    Raises:
        DataError: if there is nothing of that name.
    """
    names = (*state.spec.property_names(), *COLOURINGS)
    if not named:
        return names[0]
    if named not in names:
        raise DataError(
            f"a map cannot be coloured by {named!r}",
            remedy=f"It can by {', '.join(names)}.",
        )
    return named


def principal_plane(
    latents: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Return the places of latent points (n, d) along their two principal components, (n, 2), and
    the share of their variance along each. A component points to where its largest entry is
    positive, so that the same points give the same picture."""
    centred = latents - latents.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    if len(axes) < 2:  # a latent space of one dimension
        axes = np.vstack([axes, np.zeros_like(axes)])
        values = np.append(values, 0.0)
    plane = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    total = float((values**2).sum()) or 1.0
    return centred @ plane.T, (float(values[0] ** 2 / total), float(values[1] ** 2 / total))


def _thinned(state: CampaignState, trials: Sequence[Trial]) -> list[Trial]:
    """Return evenly spaced trials and the best, which is drawn on top of all."""
    best = state.best()
    spaced = evenly(trials, MOST)
    others = [t for t in spaced if best is None or t.decision.candidate != best.candidate]
    last = [t for t in trials if best is not None and t.decision.candidate == best.candidate]
    return [*others, *last[:1]]


def _highest_tiers(state: CampaignState, trials: Sequence[Trial]) -> tuple[int, ...]:
    highest: dict[str, int] = {}
    for tier in range(len(state.spec.tiers)):
        highest |= {m.candidate: tier for m in state.known_answers(tier)}
    return tuple(highest.get(trial.decision.candidate, 0) for trial in trials)
