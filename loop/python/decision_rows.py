"""Decisions and what came of them, as rows of plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, retraction_of
from alloop.properties import ENERGY_ABOVE_HULL, joined_notes


def flat(trial: Trial, state: CampaignState, above: float | None = None) -> dict[str, Any]:
    """Return a decision and its measurement as one level of plain values, for tables and CSV.

    Args:
        trial: the decision.
        state: of its campaign.
        above: energy above the hull of everything that its tier has measured by now, eV/atom.
    """
    proposal, d, m = trial.proposal, trial.decision, trial.measured
    row: dict[str, Any] = {
        "round": proposal.round,
        "stage": proposal.stage.value,
        "iteration": proposal.iteration,
        "tier": proposal.tier,
        "terms": trial.terms,
        "candidate": d.candidate,
        "formula": d.formula,
        "lattice": d.lattice,
        "chosen": d.chosen,
        "rule": d.rule,
        "margin": d.margin,
        "reason": d.reason,
        "acquisition": d.acquisition,
        "source": d.lineage.source,
        "parent": d.lineage.parent,
    }
    for name, posterior in d.posterior.items():
        row[f"expected_{name}"] = posterior.mean
        row[f"expected_{name}_std"] = posterior.std
    for name, posterior in d.high_fidelity.items():
        row[f"expected_high_fidelity_{name}"] = posterior.mean
        row[f"expected_high_fidelity_{name}_std"] = posterior.std
    row["status"] = None if m is None else m.status.value
    if m is None and d.chosen and (taken_back := retraction_of(state, d.candidate, proposal.tier)):
        row |= {"status": "retracted", "retracted": taken_back.reason}
    if m is None and d.chosen and d.candidate in state.by_hand.vetoes:
        row |= {"status": "withdrawn", "withdrawn": state.by_hand.reasons_vetoed[d.candidate]}
    row |= {} if above is None else {ENERGY_ABOVE_HULL: above}
    row |= {} if m is None else m.properties
    if m is not None and m.failure_kind is not None:
        row["failure"] = f"{m.failure_kind.value}: {m.failure_message}"
        row["verdict"] = "infeasible" if m.is_infeasible else "missing"
    if m is not None:
        notes = {"doubts": joined_notes(m.doubts), "remarks": joined_notes(m.remarks)}
        row |= {key: text for key, text in notes.items() if text}
    if m is not None and m.reuse is not None:
        row["reused_from"] = m.reuse.run
        row["reused_wall_seconds"] = m.reuse.wall_seconds
    if m is not None and (failed_attempt := state.attempts.get(m.evaluation)):
        row["failed_attempts"] = "; ".join(
            f"{a.failure_kind}: {a.failure_message}" for a in failed_attempt
        )
    return row


def veto_rows(state: CampaignState) -> list[dict[str, Any]]:
    """Return the vetoes of people, in the same columns."""
    return [
        {
            "round": None,
            "stage": "veto",
            "iteration": None,
            "tier": None,
            "terms": None,
            "candidate": veto.candidate,
            "formula": veto.formula,
            "lattice": veto.lattice,
            "chosen": False,
            "rule": "vetoed",
            "margin": None,
            "reason": f"by {veto.who}: {veto.why}",
            "acquisition": None,
            "source": None,
            "parent": None,
            "status": None,
        }
        for veto in state.by_hand.vetoes.values()
    ]


def shown(row: Mapping[str, Any], digits: int, names: Sequence[str]) -> dict[str, str]:
    """Return the cells that a table shows of a row.

    Args:
        row: from ``flat``.
        digits: of the candidate's id.
        names: properties whose measured values are shown.
    """
    measured = ", ".join(f"{name} {row[name]:.4g}" for name in names if name in row)
    return {
        "round": _when(row),
        "candidate": row["candidate"][:digits],
        "formula": f"{row['lattice'] or ''} {row['formula']}".strip(),
        "decision": f"{_verdict(row)}: {row['reason']}",
        "measured": row.get("retracted") or row.get("withdrawn") or row.get("failure") or measured,
    }


def _when(row: Mapping[str, Any]) -> str:
    """Return round and stage, and the terms that a decision was made under, unless the first."""
    if row["round"] is None:
        return str(row["stage"])
    under = f", terms {row['terms']}" if row["terms"] > 1 else ""
    return f"{row['round']} {row['stage']}{under}"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["chosen"]:
        return "chosen"
    margin = "" if row["margin"] is None else f" by {-row['margin']:.3g}"
    return f"rejected, {row['rule']}{margin}"
