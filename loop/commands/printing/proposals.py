"""A round's proposal in one line: how many candidates were chosen, and why the others were not."""

from collections import Counter

from alloop.loop.record.events import Proposed, Stage

REJECTIONS = {
    "acquisition": ("scored lower", "scored lower"),
    "duplicate": ("was a duplicate of a known one", "were duplicates of known ones"),
    "elements": ("had other elements", "had other elements"),
    "fractions": ("lay outside the composition bounds", "lay outside the composition bounds"),
    "infeasible": (
        "was a duplicate of one that cannot be measured",
        "were duplicates of ones that cannot be measured",
    ),
    "gate": ("was kept back by the tier's gate", "were kept back by the tier's gate"),
    "keep_structure": ("left its lattice on relaxation", "left their lattices on relaxation"),
    "max_surprise": ("was too far from the prediction", "were too far from the prediction"),
    "sublattices": ("was outside a sublattice's bounds", "were outside a sublattice's bounds"),
    "min_distance": ("had atoms too close", "had atoms too close"),
    "promotion": ("ranked lower", "ranked lower"),
    "resolution": ("differed too little from a known one", "differed too little from known ones"),
    "size": ("was too large or too small", "were too large or too small"),
    "table": ("was no row of the table", "were no rows of the table"),
    "unsureness": ("was predicted more surely", "were predicted more surely"),
    "vetoed": ("was vetoed", "were vetoed"),
    "variety": ("lay close to a chosen one", "lay close to chosen ones"),
}
"""Texts for one candidate that a rule of the ledger rejected, and for several."""


def proposal_line(proposed: Proposed) -> str:
    """Return a proposal in one line, such as ``acquisition: 16 of 128 candidates chosen; 2 were
    duplicates of known ones``."""
    rejected = Counter(d.rule for d in proposed.decisions if d.rule is not None)
    chosen = sum(decision.chosen for decision in proposed.decisions)
    n = len(proposed.decisions)
    name = proposed.stage.value
    if proposed.stage is Stage.AUGMENTATION:
        name = f"local search {proposed.iteration}"
    candidates = "candidate" if n == 1 else "candidates"
    parts = [f"{chosen} of {n} {candidates} chosen"]
    parts += [f"{k} {_rejection(rule, k)}" for rule, k in sorted(rejected.items())]
    return f"{name}: {parts[0]}" + (f"; {', '.join(parts[1:])}" if rejected else "")


def _rejection(rule: str, n: int) -> str:
    one, several = REJECTIONS.get(rule, (f"failed {rule}", f"failed {rule}"))
    return one if n == 1 else several
