"""Evaluation of a run's model: what it rebuilds, what it generates, how its predictions held."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pymatgen.core import Composition, Structure
from torch import Tensor

from alloop.loop.analyse.calibrations import calibration_figures
from alloop.loop.analyse.figure_of_merit import FigureOfMerit
from alloop.loop.analyse.last_model import deterministic, evenly
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.choose.own.assessment import own_rejection
from alloop.loop.choose.screening import Seen, canonical_key
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, composition_of
from alloop.models.analyses import DrawsLatents
from alloop.models.lattice.decorations import parents_in
from alloop.models.metrics.coverage import Coverage, composition_coverage, coverage
from alloop.models.metrics.exchanged import atoms_exchanged
from alloop.models.metrics.matching import MATCHER, Alike, match, novelty, uniqueness
from alloop.models.metrics.rates import Rate
from alloop.models.metrics.validity import is_compositionally_valid, is_structurally_valid
from alloop.space import Decorations

N = 64
"""Number of materials that are generated and, at most, reconstructed, unless another is asked
for."""
SAME_ALLOY = 0.01
"""Share of the atoms by which two compositions that count as the same may differ."""
COMPOSITION_CUTOFF, STRUCTURE_CUTOFF = 10.0, 0.4
"""Distances of what counts as covered: CDVAE's for MP-20 (section 5.2 and its code)."""


@dataclass(frozen=True)
class Evaluation:
    """Figures of merit of a run's model and of its campaign's predictions."""

    round: int | None
    """Round of the model; None for a run that has trained none."""
    figures: tuple[FigureOfMerit, ...]
    notes: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the figures, one a row, as plain values."""
        return [figure.row() for figure in self.figures]


def evaluate(
    state: CampaignState,
    store: ArtifactStore,
    *,
    n: int = N,
    seed: int = 0,
    on_step: Callable[[str], None] = lambda step: None,
) -> Evaluation:
    """Return the figures of a run.

    Of a run without a model there is the calibration of its predictions alone, and a note says so.

    Args:
        state: of the campaign.
        store: of its materials and checkpoints.
        n: number of materials generated, and of known ones reconstructed.
        seed: of the draws and the decoding.
        on_step: told what is done next.

    Raises:
        LedgerError: if the checkpoint is missing or was changed.
        ModelError: if the checkpoint cannot be read.
        RunError: if there is neither a model nor a prediction that was put to the test.
    """
    calibration = tuple(calibration_figures(state))
    if not state.models and calibration:
        note = (
            f"no model has been trained (the strategy is {state.spec.acquisition.strategy}): there "
            "is nothing to reconstruct or to generate with"
        )
        return Evaluation(None, calibration, (note,))
    run = TrainedRun.of(state, store)
    on_step("reconstructing known materials")
    rebuilt = _reconstruction(run, evenly(run.materials, n), seed)
    on_step("generating materials")
    generated = generate(run, n, seed)
    on_step("comparing them with the known ones")
    figures = [*rebuilt, *_of_generated(run, generated), *calibration]
    notes = () if calibration else ("no prediction has been put to the test yet",)
    return Evaluation(run.round, tuple(figures), notes)


def generate(run: TrainedRun, n: int, seed: int) -> list[Material]:
    """Return n materials decoded at latent points from the model's prior or, where it gives none,
    from the normal distribution with the known latent points' mean and standard deviation."""
    with deterministic(seed):
        if isinstance(run.model, DrawsLatents):
            z: Tensor = run.model.draw(n, seed=seed)
        else:
            known = run.model.encode(run.materials)
            spread = torch.from_numpy(run.latents.std(axis=0)).to(known.dtype)
            z = known.mean(dim=0) + spread * torch.randn(n, known.shape[1], dtype=known.dtype)
    return run.decode(z, seed)


def alike_in(run: TrainedRun) -> Alike:
    """Return what tells whether two materials of a campaign are the same: alloys by the share of
    atoms that differ, decorations by their canonical form, other crystals by pymatgen's matcher."""
    space = run.state.spec.space
    parents = parents_in(space) if isinstance(space, Decorations) else ()
    keys: dict[int, bytes | None] = {}

    def key(structure: Structure) -> bytes | None:
        if id(structure) not in keys:
            keys[id(structure)] = canonical_key(structure, parents) if parents else None
        return keys[id(structure)]

    def alike(one: Material, other: Material) -> bool:
        if isinstance(one, Composition) or isinstance(other, Composition):
            return atoms_exchanged(composition_of(one), composition_of(other)) <= SAME_ALLOY
        if (first := key(one)) is not None and (second := key(other)) is not None:
            return first == second
        return bool(MATCHER.fit(one, other))

    return alike


def _reconstruction(
    run: TrainedRun, originals: Sequence[Material], seed: int
) -> list[FigureOfMerit]:
    with deterministic(seed):
        z = run.model.encode(originals)
    pairs = list(zip(originals, run.decode(z, seed), strict=True))
    alike = alike_in(run)
    same = Rate.of(sum(alike(a, b) for a, b in pairs), len(pairs))
    moved = [atoms_exchanged(composition_of(a), composition_of(b)) for a, b in pairs]
    figures = [
        FigureOfMerit.of_rate("reconstruction", "the same again", same),
        FigureOfMerit.of_mean("reconstruction", "atoms of another element, share", moved),
    ]
    if not isinstance(originals[0], Composition) and not _has_parents(run):
        found = match(pairs)
        known = [each for each in found.displacements if each is not None]
        name = "displacement of those that match, in cube roots of the volume per atom"
        figures.append(FigureOfMerit.of_mean("reconstruction", name, known))
    return figures


def _has_parents(run: TrainedRun) -> bool:
    """Return whether a run's materials are decorations of parents."""
    return isinstance(run.state.spec.space, Decorations)


def _of_generated(run: TrainedRun, generated: Sequence[Material]) -> list[FigureOfMerit]:
    space, known, alike = run.state.spec.space, run.materials, alike_in(run)
    n = len(generated)
    compositions = [composition_of(material) for material in generated]
    references = [composition_of(material) for material in known]
    inside = [own_rejection(material, space, Seen()) is None for material in generated]
    figures = []
    crystals = [each for each in generated if isinstance(each, Structure)]
    if crystals:
        is_sound = [is_structurally_valid(each) for each in crystals]
        rate = Rate.of(sum(is_sound), n)
        figures.append(FigureOfMerit.of_rate("validity", "atoms 0.5 Å apart or more", rate))
        # Of alloys it says nothing, and of thirty elements there are too many oxidation states.
        balanced = Rate.of(sum(map(is_compositionally_valid, compositions)), n)
        figures.append(FigureOfMerit.of_rate("validity", "an alloy, or charge-neutral", balanced))
    unique, new = uniqueness(generated, alike), novelty(generated, known, alike)
    figures += [
        FigureOfMerit.of_rate("validity", "inside the campaign's space", Rate.of(sum(inside), n)),
        FigureOfMerit.of_rate("uniqueness", "like none before", Rate.of(round(unique * n), n)),
        FigureOfMerit.of_rate("novelty", "like none that is known", Rate.of(round(new * n), n)),
        FigureOfMerit.of_mean(
            "diversity", "atoms of another element between two, share", _pairwise(compositions)
        ),
        FigureOfMerit.of_mean(
            "diversity", "the same of the known materials", _pairwise(references)
        ),
    ]
    by, covered = _coverage(run, crystals, compositions, references)
    return [
        *figures,
        FigureOfMerit(
            "coverage", f"known ones with a generated one near by {by}", covered.recall, n
        ),
        FigureOfMerit(
            "coverage", f"generated ones with a known one near by {by}", covered.precision, n
        ),
    ]


def _coverage(
    run: TrainedRun,
    crystals: Sequence[Structure],
    compositions: Sequence[Composition],
    references: Sequence[Composition],
) -> tuple[str, Coverage]:
    """Return the coverage by composition and, where structures differ, by structure too; and by
    which."""
    known = [each for each in run.materials if isinstance(each, Structure)]
    if crystals and not _has_parents(run):
        by = "structure and composition"
        try:
            found = coverage(
                [each for each in crystals if is_structurally_valid(each)],
                known,
                structure_cutoff=STRUCTURE_CUTOFF,
                composition_cutoff=COMPOSITION_CUTOFF,
            )
        except (ValueError, RuntimeError, IndexError):  # an atom has no neighbours
            return by, Coverage(math.nan, math.nan)
        return by, found
    found = composition_coverage(compositions, references, cutoff=COMPOSITION_CUTOFF)
    return "composition", found


def _pairwise(compositions: Sequence[Composition]) -> list[float]:
    """Return the mean share of other atoms from each composition to the others."""
    table = np.array([[atoms_exchanged(a, b) for b in compositions] for a in compositions])
    n = len(compositions)
    return (table.sum(axis=1) / (n - 1)).tolist() if n > 1 else []
