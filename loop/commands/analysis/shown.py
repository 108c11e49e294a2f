"""Rows of the analyses as tables show them, on a screen of 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from alloop.loop.commands.printing.ids import digits_needed
from alloop.loop.report.words import significant
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import candidate_ids

Row = Mapping[str, Any]


def digits_of(state: CampaignState) -> int:
    """Return the number of digits that tell a run's candidates apart."""
    return digits_needed(candidate_ids(state))


def shown_point(row: Row, digits: int, names: Sequence[str]) -> dict[str, str]:
    """Return a candidate of the latent map: where it lies, and its values."""
    places = (row["first_component"], row["second_component"])
    return {
        "candidate": row["candidate"][:digits],
        "material": _material(row),
        "round": str(row["round"]),
        "tier": str(row["tier"]),
        "place": ", ".join(f"{place:.3g}" for place in places),
        "values": ", ".join(significant(row[name]) for name in names),
    }


def shown_design(row: Row, digits: int, names: Sequence[str]) -> dict[str, str]:
    """Return a design: what is predicted of it, how far it lies, why it would be refused."""
    share = {"share": f"{row['share']:.2f}"} if "share" in row else {}
    return {
        "candidate": row["candidate"][:digits],
        "material": _material(row),
        **share,
        "predicted": "; ".join(_predicted(row, name) for name in names),
        "distance": f"{row['latent_distance']:.2g}{' (far)' if row['is_far'] else ''}",
        "refused for": row["refusal"],
    }


def shown_descriptor(row: Row) -> dict[str, str]:
    """Return a descriptor's mean absolute SHAP value and its weight, times its spread."""
    shown = {"descriptor": row["descriptor"], "mean |SHAP|": significant(row["mean_abs_shap"], 3)}
    if "weight" in row:
        effect, deviation = (row[key] * row["descriptor_std"] for key in ("weight", "weight_std"))
        shown["weight × spread"] = f"{significant(effect, 3)} ± {significant(deviation, 2)}"
    return shown


def shown_contribution(row: Row) -> dict[str, str]:
    """Return a descriptor's value and SHAP value of one material."""
    return {
        "descriptor": row["descriptor"],
        "value": significant(row["value"]),
        "SHAP": significant(row["shap"], 3),
    }


def shown_figure(row: Row) -> dict[str, str]:
    """Return a figure of merit with its interval."""
    value, interval = "–", ""
    if row["value"] is not None:
        value = f"{significant(row['value'], 3)} {row['unit']}".strip()
    if row["low"] is not None:
        interval = f"{significant(_whole(row['low']), 3)} to {significant(row['high'], 3)}"
    return {
        "": row["subject"],
        "figure": row["figure"],
        "value": value,
        "95 % interval": interval,
        "n": str(row["n"]),
    }


def _material(row: Row) -> str:
    return f"{row['lattice'] or ''} {row['formula']}".strip()


def _predicted(row: Row, name: str) -> str:
    if row.get(name) is None:
        return "–"
    return f"{significant(row[name])} ± {significant(row[f'{name}_std'], 2)}"


def _whole(value: float) -> float:
    """Return 0 for what is one but for rounding."""
    return 0.0 if abs(value) < 1e-12 else value
