"""The share of what the acquisition chose that came from the model and its climb, and not from
random draws: ready campaigns of each model at their ready budgets.

Runs that ``ALLOOP_BENCH_RUNS`` holds (`python -m benchmarks.house` leaves them there) are read;
what is not there is run first. The lattice model's share is measured by the part `discover`.
"""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import numpy as np

from alloop.loop.choose.draft import Draft
from alloop.loop.choose.moves.base import FloatArray, IntArray
from alloop.loop.choose.search import search
from alloop.loop.choose.search.climb import Score
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.record.events import Lineage, Stage
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from benchmarks.data import use_data_folder
from benchmarks.house.ready_campaigns import substitutes
from benchmarks.kept_runs import runs_folder
from benchmarks.search.seeds import launch

CAMPAIGNS: Mapping[str, str] = {
    "lattice": "nifecr-ordering",
    "dvae": "hea-single-phase",
    "ftcp": "ftcp-formation-energy",
    "pcdvae": "nifecr-pcdvae",
}
"""Ready campaign of each model."""


SAMPLE = 2000
"""Number of the scored candidates that are compared with everything known."""


def measure(campaigns: Mapping[str, str] = CAMPAIGNS) -> dict[str, float]:
    """Return, of each model's campaign, ``model_share_chosen_MODEL``; the share of what the climb
    of its last round scored that is equivalent to something known
    (``duplicates_share_MODEL``; ``duplicates_share``, of the worst); and the same share of the
    best, from which the batch is chosen once they are left out (``known_of_best_share_MODEL``)."""
    use_data_folder()
    figures: dict[str, float] = {}
    with runs_folder("ready") as folder:
        for model, campaign in campaigns.items():
            run = folder / campaign
            launch(campaign, run, ("cache=false", *substitutes(campaign)))
            found = RunFolder.read(run)
            if model != "lattice":
                figures[f"model_share_chosen_{model}"] = share_of_model(found.state)
            if (best := known_of_best(found.state)) is not None:
                figures[f"known_of_best_share_{model}"] = best
                figures[f"duplicates_share_{model}"] = known_of_scored(found)
    shares = [value for name, value in figures.items() if name.startswith("duplicates_share_")]
    return figures | ({"duplicates_share": max(shares)} if shares else {})


def share_of_model(state: CampaignState) -> float:
    """Return the share of the chosen by acquisition that was not drawn at random: from the space
    or, where a table answers for what is decoded, among its rows."""
    drawn = {"random", "table"} if state.spec.recognises_rows else {"random"}
    sources = [
        decision.lineage.source
        for proposal in state.proposals
        if proposal.stage is Stage.ACQUISITION
        for decision in proposal.decisions
        if decision.chosen
    ]
    return 1 - sum(source in drawn for source in sources) / len(sources)


def known_of_best(state: CampaignState) -> float | None:
    """Return the share of the best scored, down to the last that was shortlisted, that is
    equivalent to something known; None where rows of a table are chosen, which are no duplicates
    of one another."""
    notes = [p.notes for p in state.proposals if p.stage is Stage.ACQUISITION]
    known, new = (
        sum(float(each.get(name, 0.0)) for each in notes)
        for name in ("known_already", "shortlisted")
    )
    return known / (known + new) if known + new else None


def known_of_scored(folder: RunFolder) -> float:
    """Return the share of what the climb of a run's last round scored that is equivalent to
    something known, of ``SAMPLE`` drawn at random: the round is replayed."""
    scored: list[IntArray] = []
    shares: list[float] = []
    climb, shortlist = search.climb, search._shortlist

    def recording(score: Score, *args: Any, **options: Any) -> Any:
        def keep(codes: IntArray) -> FloatArray:
            scored.append(codes.copy())
            return score(codes)

        return climb(keep, *args, **options)

    def sampling(batch: Batch, moves: Any, *args: Any) -> Any:
        codes = np.concatenate(scored)
        drawn = np.random.default_rng(0).choice(len(codes), min(SAMPLE, len(codes)), replace=False)
        drafts = [Draft(each, Lineage(source="climbed")) for each in moves.decode(codes[drawn])]
        shares.append(sum(batch.knows(draft) for draft in drafts) / len(drafts))
        return shortlist(batch, moves, *args)

    store = OverlayStore(folder.store.folder)
    with patch.object(search, "climb", recording), patch.object(search, "_shortlist", sampling):
        replay(folder.entries, store, max(folder.state.models))
    return shares[0]
