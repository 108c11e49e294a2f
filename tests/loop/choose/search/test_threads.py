"""Codes are scored on all cores where NumPy alone describes them, and in one thread otherwise."""

import threading
from typing import cast

import numpy as np
import pytest

from alloop.loop.choose.search.base import CHEAP_ROWS
from alloop.loop.choose.search.front_score import score_of
from alloop.loop.choose.search.search import CODES_AT_ONCE, SearchTask
from alloop.loop.state.campaign_state import CampaignState
from tests.loop.choose.search.toy import Amounts, grid, labelled, surrogates_on, utility


@pytest.mark.parametrize("rows", [CHEAP_ROWS, CHEAP_ROWS - 1])
def test_a_model_s_network_is_asked_in_one_thread_and_no_score_depends_on_it(monkeypatch, rows):
    asked = set()
    described = Amounts.of_codes

    def of_codes(self, codes):
        asked.add(threading.get_ident())
        return described(self, codes)

    monkeypatch.setattr(Amounts, "of_codes", of_codes)
    monkeypatch.setattr(Amounts, "rows_per_round", rows)
    surrogates = surrogates_on(grid(25), labelled(grid(25)))
    state = cast(CampaignState, type("State", (), {"spec": utility().spec}))
    task = SearchTask(state, surrogates, score_of(utility(), []), np.ones(2), ())
    codes = np.arange(3 * CODES_AT_ONCE)[:, None]
    found = task.score_codes(codes)
    assert (threading.get_ident() in asked) == (rows < CHEAP_ROWS)
    assert found == pytest.approx(task.score_features(surrogates.of_codes(codes)), rel=1e-12)
