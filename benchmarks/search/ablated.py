"""The command line with one ingredient of the search taken out, for the ablation alone.

    python -m benchmarks.search.ablated INGREDIENT launch CAMPAIGN …

What a spec can leave out itself is not here: `acquisition.strategy: surrogate-bo` leaves out the
model, its decoded starts and its embedding.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from alloop.loop.choose.search import search, starts
from alloop.loop.choose.search.joint import Choice, JointAcquisition
from alloop.loop.commands.app import main as command_line


def without_climb() -> None:
    """Choose among the starts themselves and their neighbours of one step."""
    search.FEWEST_STEPS = search.MOST_STEPS = 1


def without_symmetric_starts() -> None:
    """Start from measured and decoded candidates alone."""
    starts.N_SYMMETRIC = 0


def without_triangles() -> None:
    """Describe orderings by few pairs alone, and by the model's embedding."""
    every = search.descriptors_of

    def fewer(*arguments: Any) -> tuple[Any, ...]:
        return tuple(each for each in every(*arguments) if each.name != "correlations")

    search.descriptors_of = fewer


def without_recalibration() -> None:
    """Take the surrogate at its word."""
    search.interval_scale = lambda state, name: 1.0


def without_joint_choice() -> None:
    """Choose the best by their own acquisition, whatever else is in the batch."""

    def best_alone(acquisition: JointAcquisition, n: int, batch: int) -> Choice:
        scores = acquisition(range(n)).detach().numpy()
        order = np.argsort(-scores, kind="stable")[:batch]
        return Choice(tuple(order.tolist()), tuple(scores.tolist()))

    search.choose_batch = best_alone


def without_bounded_stds() -> None:
    """Climb by standard deviations as large as the surrogate says."""
    search.MAX_STD = np.inf


INGREDIENTS: Mapping[str, Callable[[], None]] = {
    "climb": without_climb,
    "symmetric-starts": without_symmetric_starts,
    "triangles": without_triangles,
    "recalibration": without_recalibration,
    "joint-choice": without_joint_choice,
    "bounded-stds": without_bounded_stds,
}
"""What takes each ingredient out, by its name."""


def main() -> None:
    """Take out the ingredient that is named first, and run the command line with the rest."""
    INGREDIENTS[sys.argv.pop(1)]()
    command_line()


if __name__ == "__main__":
    main()
