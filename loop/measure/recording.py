"""Recording: from an oracle's measurement of a candidate to the ledger's event."""

from typing import Any

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.measure.relaxed_lattice import parent_lattice_kept
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import AttemptFailed, Measured, Reuse
from alloop.loop.state.campaign_state import Evaluation
from alloop.oracles.base import Cost, FailureKind, Measurement, Status
from alloop.properties import PARENT_LATTICE_KEPT


def measured(
    evaluation: Evaluation,
    m: Measurement,
    spec: CampaignSpec,
    store: ArtifactStore,
    *,
    reuse: Reuse | None = None,
) -> Measured:
    """Return the event of a measurement.

    Args:
        evaluation: what was asked.
        m: what was answered.
        spec: a value that it asks for and that is missing makes the measurement a failed one.
        store: receives the relaxed material.
        reuse: where the answer comes from, if it was given before.
    """
    properties = dict(m.properties)
    asked = [*spec.required_properties(evaluation.tier)]
    if PARENT_LATTICE_KEPT in spec.property_names():
        proposed = store.get_material(evaluation.candidate)
        properties = parent_lattice_kept(proposed, m.material) | properties
        asked.append(PARENT_LATTICE_KEPT)
    missing = [name for name in asked if name not in properties]
    failure_kind = m.failure.kind if m.failure else None
    message = m.failure.message if m.failure else ""
    status = m.status
    if status is Status.OK and missing:
        status, failure_kind = Status.FAILED, FailureKind.UNSUPPORTED
        message = f"the oracle gave no {', '.join(missing)}"
    return Measured(
        **_paid(evaluation, m, spec),
        status=status,
        properties=properties,
        failure_kind=failure_kind,
        failure_message=message,
        relaxed=None if m.material is None else store.put_material(m.material),
        document=None if m.document is None else store.put_json(m.document),
        fingerprint=m.fingerprint,
        doubts=dict(m.doubts),
        remarks=dict(m.remarks),
        reuse=reuse,
    )


def failed_attempt(
    evaluation: Evaluation, attempt: int, m: Measurement, spec: CampaignSpec
) -> AttemptFailed:
    """Return the event of an attempt that the machine failed."""
    assert m.failure is not None
    return AttemptFailed(
        **_paid(evaluation, m, spec),
        attempt=attempt,
        failure_kind=m.failure.kind,
        failure_message=m.failure.message,
    )


def money_of(cost: Cost, spec: CampaignSpec, tier: int) -> float:
    """Return the price of a measurement, in the user's currency: as its oracle says, or else its
    core-hours at the tier's price."""
    return cost.money or cost.core_hours * spec.tiers[tier].core_hour_price


def _paid(evaluation: Evaluation, m: Measurement, spec: CampaignSpec) -> dict[str, Any]:
    """Return the fields of ``Paid``: what was asked of which oracle, and what it cost."""
    money = money_of(m.cost, spec, evaluation.tier)
    return {
        **evaluation.event_fields(),
        "oracle": m.oracle,
        **(vars(m.cost) | {"money": money}),
    }
