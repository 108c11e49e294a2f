"""Comparison of the tiers: the higher-fidelity values against those of the tier below."""

from alloop.loop.report.figures.style import BLUE, Figure, agreement, finished, points
from alloop.loop.report.tables import ReportTable, oracle_name
from alloop.loop.report.words import ID_DIGITS, decimals_of, label_of, number, unit_of, value_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS, VOLUME, TierDifference, by_round, disagreement
from alloop.loop.state.trials import Trial, measured_trials


def pairs(state: CampaignState, tier: int) -> list[tuple[Trial, Trial]]:
    """Return candidates that both a tier and the one below have measured: (below, above)."""
    below = {t.decision.candidate: t for t in measured_trials(state, tier - 1) if t.answer}
    return [
        (below[trial.decision.candidate], trial)
        for trial in measured_trials(state, tier)
        if trial.answer and trial.decision.candidate in below
    ]


def tier_figures(state: CampaignState) -> list[Figure]:
    """Draw each property as a tier measured it against the tier below."""
    return [
        figure
        for tier in range(1, len(state.spec.tiers))
        for name in state.spec.property_names()
        if (figure := _figure(state, tier, name)) is not None
    ]


def _figure(state: CampaignState, tier: int, name: str) -> Figure | None:
    found = pairs(state, tier)
    if not found:
        return None
    x = [low.answer.properties[name] for low, _ in found if low.answer]
    y = [high.answer.properties[name] for _, high in found if high.answer]
    unit = f" ({unit_of(name)})" if unit_of(name) else ""
    titles = f"tier {tier - 1}{unit}", f"tier {tier}{unit}"
    figure = agreement(x, y, titles, height=400)
    settings = points([low for low, _ in found], state.utility)
    settings["text"] = [
        f"{text}<br>tier {tier}: {label_of(name)} {value_of(name, value)}"
        for text, value in zip(settings["text"], y, strict=True)
    ]
    figure.add_scatter(x=x, y=y, marker={"size": 9, "color": BLUE}, **settings)
    return finished(
        figure,
        id=f"tiers-{tier}-{name}",
        alt=f"{label_of(name)} of {len(found)} candidates by tier {tier} against tier {tier - 1}",
        caption=f"{label_of(name).capitalize()}. On the dashed line the two oracles agree.",
    )


def promoted_table(state: CampaignState) -> ReportTable | None:
    """Return the candidates a higher tier has measured, best by that tier first, with the
    values of every tier side by side.
    """
    n_tiers = len(state.spec.tiers)
    names = state.spec.property_names()
    by_tier = [
        {t.decision.candidate: t for t in measured_trials(state, tier)} for tier in range(n_tiers)
    ]
    asked = {id: trial for trials in by_tier[1:] for id, trial in trials.items()}
    if not asked:
        return None

    def place(candidate: str) -> tuple[int, tuple[bool, float]]:
        for tier in reversed(range(n_tiers)):
            trial = by_tier[tier].get(candidate)
            if trial is not None and trial.answer is not None:
                return tier, state.utility.rank(trial.answer.properties)
        return -1, (False, 0.0)

    rows = tuple(
        (
            asked[id].decision.formula,
            asked[id].decision.lattice or "",
            id[:ID_DIGITS],
            *(_cell(by_tier[tier].get(id), name) for name in names for tier in range(n_tiers)),
        )
        for id in sorted(asked, key=place, reverse=True)
    )
    heads = tuple(
        f"{label_of(name, with_unit=True)}, tier {tier}"
        for name in names
        for tier in range(n_tiers)
    )
    legend = "; ".join(f"tier {tier}: {oracle_name(state, tier)}" for tier in range(n_tiers))
    return ReportTable(
        ("formula", "lattice", "candidate", *heads),
        rows,
        numeric=tuple(range(3, 3 + len(heads))),
        note=f"Best by the top tier first. {legend[0].upper()}{legend[1:]}.",
    )


def agreement_table(state: CampaignState) -> ReportTable | None:
    """Return the differences between each tier and the one below, per promotion round and over
    all; None while nothing was measured by two tiers.
    """
    found = [
        (tier, name, each)
        for tier in range(1, len(state.spec.tiers))
        for name, each in (
            *((f"round {n}", each) for n, each in by_round(state, tier).items()),
            ("all", disagreement(state, tier)),
        )
        if each.n_pairs
    ]
    if not found:
        return None
    names = list(dict.fromkeys(name for _, _, each in found for name in each.differences))
    rows = tuple(
        (
            f"{tier} against {tier - 1}",
            when,
            str(each.n_pairs),
            *(_difference(name, each.differences.get(name)) for name in names),
            *(
                "" if correlation is None else number(correlation, 2)
                for correlation in (each.rank_correlation, each.energy_correlation)
            ),
        )
        for tier, when, each in found
    )
    heads = tuple(
        f"{label_of(name)} ({'%' if name == VOLUME else unit_of(name) or '–'})" for name in names
    )
    return ReportTable(
        ("tiers", "promoted", "pairs", *heads, "rank correlation", "of energies"),
        rows,
        numeric=tuple(range(2, 5 + len(heads))),
        note="The higher tier minus the one below, mean ± standard deviation. Rank correlations "
        "are Spearman's, of the utility and of the formation energies, from "
        f"{MIN_PAIRS} pairs on.",
    )


def agreement_warnings(state: CampaignState) -> list[str]:
    """Return a sentence for each thing that is wrong between two tiers."""
    found = (disagreement(state, tier) for tier in range(1, len(state.spec.tiers)))
    return [each.warning for each in found if each.warning]


def _difference(name: str, difference: TierDifference | None) -> str:
    if difference is None:
        return ""
    percent = name == VOLUME
    factor, decimals = (100.0, 2) if percent else (1.0, decimals_of(name))
    mean = number(factor * difference.mean, decimals, signed=True)
    return f"{mean} ± {number(factor * difference.std, decimals)}"


def _cell(trial: Trial | None, name: str) -> str:
    if trial is None:
        return ""
    return (
        "failed"
        if trial.answer is None
        else value_of(name, trial.answer.properties[name], with_unit=False)
    )
