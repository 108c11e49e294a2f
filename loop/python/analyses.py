"""Analyses of a run's model as pandas tables; what is said about one stands in its ``attrs``."""

from collections.abc import Mapping, Sequence

import pandas as pd

from alloop.errors import DataError
from alloop.loop.analyse.design import design
from alloop.loop.analyse.evaluation import evaluate
from alloop.loop.analyse.importance import importance
from alloop.loop.analyse.latent import map_latent_space
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.choices import find_candidate


def latent_table(folder: RunFolder) -> pd.DataFrame:
    """Return the measured candidates with their places; ``attrs``: round, shares."""
    found = map_latent_space(folder.state, folder.store)
    table = pd.DataFrame(found.rows(folder.state))
    table.attrs |= {"round": found.round, "shares": found.shares}
    return table


def design_table(
    folder: RunFolder,
    target: Mapping[str, float],
    *,
    between: tuple[str, str] | None,
    invert: str,
    around: str,
    radius: float,
    n: int,
    seed: int,
) -> pd.DataFrame:
    """Return the designs with their materials; ``attrs``: how, notes."""
    if len(target) > 1:
        raise DataError(f"{len(target)} targets cannot be designed for", remedy="Give one.")
    found = design(
        TrainedRun.of(folder.state, folder.store),
        target="".join(f"{name}={float(value)!r}" for name, value in target.items()),
        between=between,
        invert=invert,
        around=around,
        radius=radius,
        n=n,
        seed=seed,
    )
    table = pd.DataFrame(found.rows())
    table["material"] = pd.Series([each.material for each in found.judged], dtype=object)
    table.attrs |= {"how": found.how, "notes": list(found.notes)}
    return table


def importance_table(folder: RunFolder, property_name: str, of: Sequence[str]) -> pd.DataFrame:
    """Return the descriptors, the most important first; ``attrs``: property, round, base."""
    found = importance(TrainedRun.of(folder.state, folder.store), property_name, of=of)
    table = pd.DataFrame(found.rows())
    for beginning in of:
        id = find_candidate(folder.state, beginning)
        shap = {row["descriptor"]: row["shap"] for row in found.candidate_rows(id)}
        table[f"shap_{beginning}"] = table["descriptor"].map(shap)
    table.attrs |= {
        "property": found.explanation.property_name,
        "round": found.round,
        "base": found.explanation.base,
    }
    return table


def evaluation_table(folder: RunFolder, n: int, seed: int) -> pd.DataFrame:
    """Return the figures of merit with their intervals; ``attrs``: round, notes."""
    found = evaluate(folder.state, folder.store, n=n, seed=seed)
    table = pd.DataFrame(found.rows())
    table.attrs |= {"round": found.round, "notes": list(found.notes)}
    return table
