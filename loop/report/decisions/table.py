"""The decision table as the page's data: columns of plain values, and the answers to the
yes-or-no questions as one number a row."""

from collections.abc import Sequence
from typing import Any

from alloop.loop.report.decisions.fields import Field, fields_of, passing_trials
from alloop.loop.report.decisions.filters import Kind
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import all_trials

ASKED = ("chosen", "best", "front", "failed", "doubtful", "pending")
"""Questions that are offered as filters."""
BETTER = {"maximise": (">", 0.9), "minimise": ("<", 0.1)}
"""Sign towards better values, and share of the values below the best tenth, by goal."""


def decision_island(state: CampaignState) -> dict[str, Any]:
    """Return the table of decisions as plain JSON values.

    ``columns`` says of each column its key, kind, heading, explanation, unit, digits after the
    point (-1: three significant ones) and level; ``cells`` holds the columns' values, one list
    each; ``questions`` names the yes-or-no questions, and ``answers`` holds a number for each
    row, whose bit i answers question i. ``suggestions`` are filters to begin with.
    """
    trials = all_trials(state)
    fields = fields_of(state)
    questions = [field for field in fields if field.kind is Kind.FLAG]
    columns = [field for field in fields if field.kind is not Kind.FLAG]
    return {
        "columns": [_column(field) for field in columns],
        "cells": [[field.read(trial) for trial in trials] for field in columns],
        "questions": [{"key": each.name, "explained": each.explained} for each in questions],
        "answers": [
            sum(1 << i for i, each in enumerate(questions) if each.read(trial)) for trial in trials
        ],
        "n": len(trials),
        "suggestions": _suggestions(state, fields),
    }


def _suggestions(state: CampaignState, fields: Sequence[Field]) -> list[str]:
    """Return filters that find something here, to begin with: the questions, the best tenth by the
    first objective, and what is rich in the last element."""
    texts = [name for name in ASKED if any(field.name == name for field in fields)]
    objective = state.spec.objectives[0]
    name = objective.property
    values = sorted(m.properties[name] for m in state.answers() if name in m.properties)
    if values and objective.goal in BETTER:
        sign, place = BETTER[objective.goal]
        texts.append(f"{name} {sign} {values[int(place * len(values))]:.3g}")
    texts.append(f"chosen and {state.spec.space.elements[-1]} > 0.5")
    return [text for text in texts if any(passing_trials(state, text, fields))]


def _column(field: Field) -> dict[str, Any]:
    return {
        "key": field.name,
        "kind": field.kind.value,
        "label": field.label,
        "explained": field.explained,
        "unit": field.unit,
        "digits": field.digits,
        "level": field.level,
    }
