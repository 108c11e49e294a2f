"""The decision table as the page's data: columns of plain values, and the answers to the
yes-or-no questions as one number a row."""

from typing import Any

from alloop.loop.report.decisions.fields import Field, fields_of
from alloop.loop.report.decisions.filters import Kind
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import all_trials


def decision_island(state: CampaignState) -> dict[str, Any]:
    """Return the table of decisions as plain JSON values.

    ``columns`` says of each column its key, kind, heading, explanation, unit, digits after the
    point (-1: three significant ones) and level; ``cells`` holds the columns' values, one list
    each; ``questions`` names the yes-or-no questions, and ``answers`` holds a number for each
    row, whose bit i answers question i.
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
    }


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
