"""Where the budget went: measurements and time of each tier, and what of it failed."""

from plotly.subplots import make_subplots

from alloop.loop.report.figures.style import BLUE, RULE, VERMILLION, YELLOW, Figure, blank, finished
from alloop.loop.report.tables import oracle_name
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import measured_trials

UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
FAILED = VERMILLION
DOUBTFUL = YELLOW


def budget_figure(state: CampaignState) -> Figure | None:
    """Draw the measurements and the oracle's time of each tier, by what came of them; None before
    the first measurement."""
    tiers = range(len(state.spec.tiers))
    trials = [measured_trials(state, tier) for tier in tiers]
    if not any(trials):
        return None
    names = [f"tier {tier}" for tier in tiers]
    kinds = {
        "with values": [[t for t in mine if t.answer is not None] for mine in trials],
        "in doubt": [[t for t in mine if t.doubt] for mine in trials],
        "failed": [[t for t in mine if t.answer is None and not t.doubt] for mine in trials],
    }
    seconds = {
        kind: [sum(t.measured.wall_seconds for t in mine if t.measured) for mine in of_tiers]
        for kind, of_tiers in kinds.items()
    }
    again = [
        sum(a.wall_seconds for each in state.attempts.values() for a in each if a.tier == tier)
        for tier in tiers
    ]
    longest = max(sum(each[tier] for each in seconds.values()) + again[tier] for tier in tiers)
    size, unit = next((pair for pair in UNITS if longest >= 2 * pair[0]), UNITS[-1])
    left = [max(0, state.spec.budget.measurements[tier] - len(trials[tier])) for tier in tiers]
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        figure=blank(height=150 + 46 * len(names), barmode="stack"),
    )
    colours = {"with values": BLUE, "in doubt": DOUBTFUL, "failed": FAILED}
    bars: list[tuple[str, list[float], int]] = [
        *((kind, [float(len(mine)) for mine in kinds[kind]], 1) for kind in kinds),
        ("left", [float(n) for n in left], 1),
        *((kind, [s / size for s in seconds[kind]], 2) for kind in kinds),
        ("attempts tried again", [s / size for s in again], 2),
    ]
    for name, values, column in bars:
        if any(values):
            figure.add_bar(
                x=values,
                y=names,
                orientation="h",
                name=name,
                legendgroup=name,
                showlegend=column == 1 or name not in kinds,
                marker={
                    "color": colours.get(name, RULE),
                    "pattern": {"shape": "/" if name == "attempts tried again" else ""},
                },
                hovertemplate=f"%{{y}}: %{{x:.4g}} {name}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(title_text="measurements", row=1, col=1)
    figure.update_xaxes(title_text=f"{unit} in the oracle", row=1, col=2)
    figure.update_yaxes(autorange="reversed")
    told = "; ".join(f"tier {tier}: {oracle_name(state, tier)}" for tier in tiers)
    return finished(
        figure,
        id="budget",
        alt=f"measurements and {unit} of {len(names)} tiers, by what came of them",
        caption=f"{told[0].upper()}{told[1:]}. Left: of the budget, not asked for.",
    )
