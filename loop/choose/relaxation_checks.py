"""Checks whether a result is good enough for its candidate to be promoted: the gate of its tier,
and whether its relaxation is trusted."""

import numpy as np
from pymatgen.core import Structure

from alloop.loop.choose.screening import CandidateRejection
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Measured
from alloop.loop.state.campaign_state import CampaignState

MAX_SHIFT = 0.12
"""Largest shift of an atom from its site, in nearest-neighbour distances: Lindemann's tenth (Phys.
Z. 11 (1910) 609), a crystal's limit, and a little more. Ternary 54-atom cells that stay fcc or bcc
shift their atoms by up to 0.07, those that do not by 0.15 and more."""
MAX_STRETCH = 1.1
"""Largest ratio of the longest principal stretch to the shortest. Bain's path from bcc to fcc is at
1.41."""


def promotion_rejection(
    state: CampaignState, store: ArtifactStore, answer: Measured
) -> CandidateRejection | None:
    """Return the rejection of a successful measurement that its tier's gate keeps back, or that is
    not trusted; None where it may be promoted.

    A measurement that did not converge has failed, and is no answer in the first place.
    """
    options = state.spec.promotion
    if (closed := gate_rejection(state, answer)) is not None:
        return closed
    if options.keep_structure and (found := structure_change_rejection(store, answer)) is not None:
        return found
    if options.max_surprise is not None:
        return surprise_rejection(state, answer, options.max_surprise)
    return None


def gate_rejection(state: CampaignState, answer: Measured) -> CandidateRejection | None:
    """Refuse what the gate of the tier that measured it keeps back; the margin is in the property's
    unit."""
    for name, (low, high) in state.spec.tiers[answer.tier].gate.items():
        value = answer.properties.get(name)
        if value is None:  # a label that was brought
            return CandidateRejection("gate", -1.0, f"its {name} is not known")
        if low is not None and value < low:
            text = f"its {name} is {value:.4g}, below {low:g}"
            return CandidateRejection("gate", value - low, text)
        if high is not None and value > high:
            text = f"its {name} is {value:.4g}, above {high:g}"
            return CandidateRejection("gate", high - value, text)
    return None


def structure_change_rejection(store: ArtifactStore, answer: Measured) -> CandidateRejection | None:
    """Refuse a crystal that relaxed into another; the margin is a share of the neighbours'
    distance, or of the stretch.
    """
    if answer.relaxed is None:
        return None
    before, after = store.get_material(answer.candidate), store.get_material(answer.relaxed)
    if not isinstance(before, Structure) or not isinstance(after, Structure):
        return None
    stretch, shift = stretch_ratio(before, after), largest_shift(before, after)
    if stretch > MAX_STRETCH:
        text = f"relaxing stretched its cell {stretch:.2f} times more one way than another"
        return CandidateRejection("keep_structure", MAX_STRETCH - stretch, text)
    if shift > MAX_SHIFT:
        text = f"an atom relaxed {100 * shift:.0f} % of the way to its neighbours from its site"
        return CandidateRejection("keep_structure", MAX_SHIFT - shift, text)
    return None


def stretch_ratio(before: Structure, after: Structure) -> float:
    """Return the ratio of the longest to the shortest principal stretch of a relaxation; 1 keeps
    shape."""
    gradient = np.linalg.solve(before.lattice.matrix, after.lattice.matrix)
    stretches = np.linalg.svd(gradient, compute_uv=False)
    return float(stretches.max() / stretches.min())


def largest_shift(before: Structure, after: Structure) -> float:
    """Return the largest shift of an atom from its site, the cell's own deformation and drift
    aside, in nearest-neighbour distances of the relaxed crystal.

    Args:
        before: as proposed.
        after: relaxed, its sites in the same order.
    """
    steps = after.frac_coords - before.frac_coords
    steps -= np.round(steps)
    steps -= steps.mean(axis=0)
    distances = after.distance_matrix
    neighbours = distances[distances > 0]
    nearest = float(neighbours.min()) if len(neighbours) else min(after.lattice.abc)
    return float(np.linalg.norm(steps @ after.lattice.matrix, axis=1).max()) / nearest


def surprise_rejection(
    state: CampaignState, answer: Measured, limit: float
) -> CandidateRejection | None:
    """Refuse a result that is far from what the surrogate expected, where it expected anything;
    the margin is in its standard deviations.
    """
    decision = state.decisions.get(answer.candidate)  # none of what was brought
    expected = {} if decision is None else decision.posterior
    surprises = {
        name: abs(answer.properties[name] - posterior.mean) / posterior.std
        for name, posterior in expected.items()
        if posterior.std > 0 and name in answer.properties
    }
    if not surprises or max(surprises.values()) <= limit:
        return None
    name = max(surprises, key=lambda each: surprises[each])
    text = f"its {name} lies {surprises[name]:.1f} standard deviations from what was expected"
    return CandidateRejection("max_surprise", limit - surprises[name], text)
