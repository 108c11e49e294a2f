"""Where climbs begin: the best measured, what the model decodes, and symmetric orderings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alloop.errors import MaterialError
from alloop.loop.choose.draft import Draft, decode_latents
from alloop.loop.choose.moves.base import IntArray, Moves
from alloop.loop.choose.search.climb import ChainGroup, plain_moves
from alloop.loop.choose.search.orbits import OrbitMoves, draw_orbits
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Lineage
from alloop.materials import Material
from alloop.models.base import GenerativeModel
from alloop.models.lattice.decorations import DecorationSpace
from alloop.space import AnySpace, Decorations

N_MEASURED, N_SYMMETRIC = 16, 12
"""Number of chains that begin at the best measured candidates, and at symmetric orderings."""
N_DECODED = 16
"""Number of chains that begin at what was decoded: at the best of it."""
N_PERTURBED = 20
"""Number of coordinates moved at once, on average, to scatter a latent point: few, as in TuRBO
(Eriksson et al., NeurIPS 2019): moving all of a point in many dimensions leaves nothing of it."""
MIN_LATENT_EXTENT = 1e-3
"""Least extent of a latent coordinate, so that latents that never vary may still move."""


@dataclass(frozen=True)
class Starts:
    """Chains of a climb, with the lineage of every start."""

    groups: tuple[ChainGroup, ...]
    lineages: tuple[tuple[Lineage, ...], ...]
    """Lineage of each group's starts."""

    def lineage(self, group: int, chain: int, code: IntArray, moves: Moves, seed: int) -> Lineage:
        """Return the lineage of a candidate that a chain met."""
        start = self.lineages[group][chain]
        changes = moves.changes(self.groups[group].starts[chain], code)
        if not changes:
            return start
        return start.model_copy(update={"source": "climbed", "moves": changes, "seed": seed})


@dataclass(frozen=True)
class Decoded:
    """What the model made of latent points around the best measured candidates."""

    codes: IntArray
    lineages: tuple[Lineage, ...]
    n_decoded: int
    """Number of latent points; fewer materials have a code in the space, or lie in its bounds."""

    @classmethod
    def of(cls, generated: Sequence[Draft], moves: Moves) -> "Decoded":
        """Return what was generated and has a code, in bounds."""
        codes, lineages = [], []
        for draft in generated:
            try:
                code = moves.encode([draft.material])
            except MaterialError:
                continue
            if moves.in_bounds(code)[0]:
                codes.append(code[0])
                lineages.append(draft.lineage)
        return cls(np.array(codes, dtype=np.int64), tuple(lineages), len(generated))


def decode_around(
    model: GenerativeModel,
    checkpoint: str,
    centres: Sequence[Material],
    measured: Sequence[Material],
    store: ArtifactStore,
    *,
    n: int,
    edge: float,
    space: AnySpace,
    seed: int,
) -> list[Draft]:
    """Return what latent points around some centres decode to.

    Args:
        model: fitted.
        checkpoint: its artifact, for the lineage.
        centres: materials, of which the latent points are scattered copies, and midpoints of pairs.
        measured: everything measured; its extent is the unit of the edge.
        store: receives the latent points.
        n: number of latent points.
        edge: of the box around each centre, in the extent of the measured latents.
        space: of the campaign.
        seed: of the decoding; the scatter follows torch's own generator.
    """
    latents = _scattered(model.encode(centres), model.encode(measured), n, edge)
    return decode_latents(model, checkpoint, latents, store, space=space, seed=seed)


def starts_of_climb(
    space: AnySpace,
    moves: Moves,
    best: Mapping[str, IntArray],
    decoded: Decoded,
    rng: np.random.Generator,
    *,
    seed: int,
) -> Starts:
    """Return the chains of a climb.

    Args:
        space: of the campaign.
        moves: in it.
        best: codes of the best measured candidates, by id.
        decoded: the model's share, the best of it first.
        rng: draws symmetric orderings.
        seed: of the round, for the lineage.
    """
    plain = plain_moves(moves)
    listed = list(best.items())[:N_MEASURED]
    groups = [ChainGroup("measured", np.array([code for _, code in listed]), plain)]
    lineages = [tuple(Lineage(source="climbed", parent=id, seed=seed) for id, _ in listed)]
    if len(decoded.codes):
        groups.append(ChainGroup("latent", decoded.codes[:N_DECODED], plain))
        lineages.append(decoded.lineages[:N_DECODED])
    if isinstance(space, Decorations):
        orderings = DecorationSpace.of_space(space)
        orbits = draw_orbits(orderings, moves, N_SYMMETRIC, rng)
        if len(orbits.starts):
            its_moves = OrbitMoves(orbits, orderings, moves)
            groups.append(ChainGroup("symmetric", orbits.starts, its_moves))
            lineages.append(
                tuple(
                    Lineage(source="symmetric", seed=seed, row=chain)
                    for chain in range(len(orbits.starts))
                )
            )
    return Starts(tuple(groups), tuple(lineages))


def _scattered(centres: Tensor, measured: Tensor, n: int, edge: float) -> Tensor:
    """Return latent points in boxes around centres, and every fourth between two, (n, d)."""
    extent = (measured.amax(dim=0) - measured.amin(dim=0)).clamp_min(MIN_LATENT_EXTENT)
    points = centres[torch.arange(n) % len(centres)]
    mates = centres[torch.randint(len(centres), (n,))]
    is_midpoint = (torch.arange(n) % 4 == 3)[:, None]
    points = torch.where(is_midpoint, 0.5 * (points + mates), points)
    anywhere = points + edge * extent * (torch.rand(points.shape) - 0.5)
    is_moved = torch.rand(points.shape) < N_PERTURBED / points.shape[-1]
    return torch.where(is_moved, anywhere, points).to(torch.float32)
