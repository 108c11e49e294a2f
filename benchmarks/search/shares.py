"""The share of what the acquisition chose that came from the model and its climb, and not from
random draws: ready campaigns of each model at their ready budgets.

Runs that ``ALLOOP_BENCH_RUNS`` holds (`python -m benchmarks.house` leaves them there) are read;
what is not there is run first. The lattice model's share is measured by the part `discover`.
"""

from collections.abc import Mapping

from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from benchmarks.data import use_data_folder
from benchmarks.house.ready_campaigns import substitutes
from benchmarks.kept_runs import runs_folder
from benchmarks.search.seeds import launch

CAMPAIGNS: Mapping[str, str] = {
    "dvae": "hea-single-phase",
    "ftcp": "ftcp-formation-energy",
    "pcdvae": "nifecr-pcdvae",
}
"""Ready campaign of each model."""


def measure(campaigns: Mapping[str, str] = CAMPAIGNS) -> dict[str, float]:
    """Return ``model_share_chosen_MODEL`` of each model, and the share of what was looked at that
    equals something measured (``duplicates_share_MODEL``; ``duplicates_share``, of the worst)."""
    use_data_folder()
    figures: dict[str, float] = {}
    duplicates = {}
    with runs_folder("ready") as folder:
        for model, campaign in campaigns.items():
            run = folder / campaign
            if not run.exists():
                launch(campaign, run, ("cache=false", *substitutes(campaign)))
            state = RunFolder.read(run).state
            figures[f"model_share_chosen_{model}"] = share_of_model(state)
            if (share := share_of_duplicates(state)) is not None:
                duplicates[f"duplicates_share_{model}"] = share
    if duplicates:
        figures["duplicates_share"] = max(duplicates.values())
    return figures | duplicates


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


def share_of_duplicates(state: CampaignState) -> float | None:
    """Return the share of what the searches looked at that is equivalent to something known; None
    where they chose rows of a table, which are no duplicates of one another."""
    notes = [p.notes for p in state.proposals if p.stage is Stage.ACQUISITION]
    known, new = (
        sum(float(each.get(name, 0.0)) for each in notes)
        for name in ("known_already", "shortlisted")
    )
    return known / (known + new) if known + new else None
