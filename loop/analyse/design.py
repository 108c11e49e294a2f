"""Designs: materials decoded for target values, between two, around one, or nearest to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from alloop.errors import DataError
from alloop.loop.analyse.judging import Judge, JudgedMaterial
from alloop.loop.analyse.last_model import deterministic
from alloop.loop.analyse.targets import Target, target_of
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.choose.strategies.latent_gradient import climb_head
from alloop.loop.state.choices import find_candidate
from alloop.materials import Material, composition_of, material_id
from alloop.models.analyses import (
    AsksForValues,
    CanDesign,
    CanInvert,
    InterpolatesLatents,
    SamplesAround,
)
from alloop.models.base import Dataset
from alloop.models.metrics.exchanged import atoms_exchanged

N = 8
"""Number of designs, unless another is asked for."""
STARTS = 8
"""Number of known materials, those nearest to the target, that a design begins from."""
STEPS = (10, 20, 40, 80, 160)
"""Numbers of Adam steps towards the target after which latent points are decoded."""
FINE_STEPS = tuple(range(10, 250, 10))
"""Numbers of Adam steps of an inversion, which stops at the first that will do."""
RATE = 0.02
"""Step length of Adam, in the latents' own unit."""
RADIUS = 0.5
"""Standard deviation of the points around a material, in units of the latent space's own spread."""


@dataclass(frozen=True)
class Designs:
    """Designed materials, and what has to be known about them."""

    how: str
    """What was done, for people."""
    judged: tuple[JudgedMaterial, ...]
    shares: tuple[float, ...]
    """Each one's place on the way of an interpolation, from 0 to 1, or, of an inversion, its share
    of atoms that are others than the first's; else empty."""
    target: Target | None
    notes: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the designs, one a row in their order, as plain values."""
        return [self._row(place) for place in range(len(self.judged))]

    def _row(self, place: int) -> dict[str, Any]:
        row = self.judged[place].row()
        if self.shares:
            row["share"] = self.shares[place]
        if self.target is not None:
            row["deviation"] = deviation(self.judged[place], self.target)
        return row


def deviation(judged: JudgedMaterial, target: Target) -> float:
    """Return predicted less wanted, in standard deviations of the prediction."""
    name = target.wish.property_name
    return (judged.means[name] - target.wish.value) / judged.stds[name]


def design(
    run: TrainedRun,
    *,
    target: str = "",
    between: tuple[str, str] | None = None,
    invert: str = "",
    around: str = "",
    radius: float = RADIUS,
    n: int = N,
    seed: int = 0,
) -> Designs:
    """Return designs in the way that is asked for.

    Args:
        run: with the model.
        target: ``PROPERTY=VALUE``; alone, materials are decoded at it.
        between: ids of two candidates to interpolate between.
        invert: id of a candidate that is changed as little as the target takes.
        around: id of a candidate to sample around.
        radius: of the samples, in units of the latent space's own spread.
        n: number of designs.
        seed: of everything that is drawn.

    Raises:
        DataError: if it is not said what to design, or in two ways at once.
    """
    ways = {"--between": between is not None, "--invert": bool(invert), "--around": bool(around)}
    asked = [name for name, is_asked in ways.items() if is_asked]
    if len(asked) > 1:
        raise DataError(
            f"{' and '.join(asked)} are two ways to design", remedy="Give one of them at a time."
        )
    if not target and (not asked or invert):
        raise DataError(
            "it is not said what value the designs should have",
            where="--target",
            remedy="Write --target PROPERTY=VALUE; its model learns "
            f"{', '.join(run.state.spec.property_names())}.",
        )
    wish = target_of(run, target) if target else None
    if between is not None:
        return design_between(run, *between, target=wish, n=n, seed=seed)
    if around:
        return design_around(run, around, target=wish, radius=radius, n=n, seed=seed)
    assert wish is not None, "asked for above"
    if invert:
        return design_from(run, invert, wish, seed=seed)
    return design_at(run, wish, n=n, seed=seed)


def design_at(run: TrainedRun, target: Target, *, n: int, seed: int) -> Designs:
    """Return new materials that the model expects to have a property's value, the nearest to it
    first.

    What was decoded is encoded again and judged itself, so an imperfect decoder cannot win on
    paper. The model's own inverse design is taken where it has one; else latent points of the
    known materials nearest to the target are moved towards it, and decoded on the way.

    Raises:
        DataError: if nothing could be decoded that the model can represent.
    """
    judge, model, notes = Judge(run), run.model, [target.warning]
    if isinstance(model, CanDesign):
        with deterministic(seed):
            batch = model.design(_labelled(run.dataset, target), target.wish, n=2 * n, seed=seed)
        materials: Sequence[Material] = batch.materials
        notes += batch.notes
    else:
        with deterministic(seed):
            points = _towards(run, target, _starts(run, target, seed), STEPS)
        materials = run.decode(points, seed)
    known = {each.candidate for each in run.known}
    new = [each for each in judge.judge(_distinct(materials)) if each.id not in known]
    new.sort(key=lambda each: _miss(each, target))
    if not new:
        notes.append("nothing new that the model can represent was decoded")
    return Designs(f"decoded at {_words(target)}", tuple(new[:n]), (), target, _said(notes))


def design_between(
    run: TrainedRun, first: str, second: str, *, target: Target | None, n: int, seed: int
) -> Designs:
    """Return what is decoded on the way between two candidates, both ends included.

    Args:
        run: with the model.
        first: id of a candidate, or its beginning.
        second: likewise.
        target: value that is asked for on the way, of models that can; else None.
        n: number of points.
        seed: of the decoding.

    Raises:
        DataError: if there is no such candidate.
        MaterialError: if the model cannot represent one.
    """
    ends = [_candidate(run, id) for id in (first, second)]
    shares = torch.linspace(0, 1, n)
    with deterministic(seed):
        z = run.model.encode(ends)
        if isinstance(run.model, InterpolatesLatents):
            points = run.model.points_between(z, shares)
        else:
            points = torch.lerp(z[:1], z[1:], shares.to(z.dtype)[:, None])
    points, notes = _asked(run, points, target)
    how = f"between {first} and {second}"
    return _each(run, how, run.decode(points, seed), shares.tolist(), target, notes)


def design_around(
    run: TrainedRun, id: str, *, target: Target | None, radius: float, n: int, seed: int
) -> Designs:
    """Return what is decoded around a candidate, every material once.

    Args:
        run: with the model.
        id: of the candidate, or its beginning.
        target: value that is asked for, of models that can; else None.
        radius: standard deviation of the points around its own, in units of the latent space's.
        n: number of points.
        seed: of the points and the decoding.

    Raises:
        DataError: if there is no such candidate.
        MaterialError: if the model cannot represent it.
    """
    material = _candidate(run, id)
    with deterministic(seed):
        if isinstance(run.model, SamplesAround):
            points = run.model.points_around(material, radius=radius, n=n, seed=seed)
        else:
            z = run.model.encode([material])
            spread = torch.from_numpy(run.latents.std(axis=0)).to(z.dtype)
            points = z + radius * spread * torch.randn(n, z.shape[1], dtype=z.dtype)
    points, notes = _asked(run, points, target)
    decoded = _distinct(run.decode(points, seed))
    notes.append(f"{n} points decode to {_count(len(decoded), 'different material')}")
    return _each(run, f"around {id}, radius {radius:g}", decoded, (), target, notes)


def design_from(run: TrainedRun, id: str, target: Target, *, seed: int) -> Designs:
    """Return the way from a candidate to the nearest found that meets a target, which is the last.

    The model's own inversion is taken where it has one for the property; else the candidate's
    latent point is moved towards the target and decoded on the way, and of all decoded materials
    that meet it, the one with the fewest other atoms, then the nearest in the latent space, is the
    last.

    Raises:
        DataError: if there is no such candidate.
        MaterialError: if the model cannot represent it.
    """
    material, judge, model = _candidate(run, id), Judge(run), run.model
    materials: Sequence[Material] = ()
    if isinstance(model, CanInvert):
        with deterministic(seed):
            materials = model.smallest_changes(material, target.wish)
    if materials:
        way = judge.judge(_distinct(materials))
    else:
        with deterministic(seed):
            points = _towards(run, target, model.encode([material]), FINE_STEPS)
        way = judge.judge(_distinct([material, *run.decode(points, seed)]))
        way = _shortest(run, way, target)
    notes = [target.warning]
    if len(way) == 1 and (_meets(way[0], target) or materials):
        notes.append("it meets the target as it is")
    elif _meets(way[-1], target) or materials:
        steps = _count(len(way) - 1, "step")
        notes.append(f"{steps} from {way[0].formula} to {way[-1].formula}")
    else:
        name = target.wish.property_name
        notes.append(
            f"no material on the way meets the target: the nearest is predicted to have "
            f"{target.text(way[-1].means[name])} ± {target.text(way[-1].stds[name])}"
        )
    shares = tuple(_exchanged(way[0], each) for each in way)
    how = f"from {id} to {_words(target)} by the smallest change"
    return Designs(how, tuple(way), shares, target, _said(notes))


def _each(
    run: TrainedRun,
    how: str,
    materials: Sequence[Material],
    shares: Sequence[float],
    target: Target | None,
    notes: list[str],
) -> Designs:
    """Return materials as designs, each judged by itself."""
    judge = Judge(run)
    judged, kept = [], []
    for place, material in enumerate(materials):
        found = judge.judge([material])
        judged += found
        kept += [shares[place]] * len(found) if shares else []
    if missing := len(materials) - len(judged):
        notes.append(f"{missing} decoded materials cannot be encoded again and are left out")
    return Designs(how, tuple(judged), tuple(kept), target, _said(notes))


def _candidate(run: TrainedRun, id: str) -> Material:
    return run.store.get_material(find_candidate(run.state, id))


def _labelled(data: Dataset, target: Target) -> Dataset:
    """Return the rows whose value of the target's property is known."""
    labels = data.labels[:, data.property_names.index(target.wish.property_name)]
    return data.take(np.flatnonzero(np.isfinite(labels)))


def _starts(run: TrainedRun, target: Target, seed: int) -> Tensor:
    """Return latent points near those of the known materials that are nearest to the target."""
    labels = run.labels(target.wish.property_name)
    rows = np.argsort(np.abs(labels - target.wish.value), kind="stable")  # NaN last
    rows = rows[np.isfinite(labels[rows])][:STARTS]
    z = run.model.encode([run.materials[row] for row in rows])
    spread = torch.from_numpy(run.latents.std(axis=0)).to(z.dtype)
    draws = torch.Generator().manual_seed(seed)
    shifts = torch.randn(z.shape, generator=draws, dtype=z.dtype)
    return torch.cat([z, z + RADIUS * spread * shifts])


def _towards(run: TrainedRun, target: Target, z: Tensor, steps: Sequence[int]) -> Tensor:
    """Return latent points on the way from z (n, d) towards a target, shape (m, d)."""
    wish, model = target.wish, run.model
    if isinstance(model, AsksForValues):
        column = run.dataset.property_names.index(wish.property_name)
        now = model.predict(z).mean[:, column]
        ways = [
            torch.cat(
                [
                    model.asking(z[row : row + 1], wish.property_name, float(value))
                    for row, value in enumerate(now + share * (wish.value - now))
                ]
            )
            for share in torch.linspace(0, 1, len(steps) + 1)[1:].tolist()
        ]
        return torch.cat(ways)
    column = run.state.spec.property_names().index(wish.property_name)

    def nearness(means: Tensor) -> Tensor:
        return -((means[:, column] - wish.value) / target.spread).square()

    return climb_head(model, z, nearness, steps=steps, rate=RATE).to(z.dtype)


def _asked(run: TrainedRun, z: Tensor, target: Target | None) -> tuple[Tensor, list[str]]:
    """Return latent points that ask for a target, where there is one and the model can."""
    if target is None:
        return z, []
    if not isinstance(run.model, AsksForValues):
        raise DataError(
            "this model's latent points name no property, so none can be asked for on the way",
            where="--target",
            remedy="Leave --target out: every design is predicted; or give --target alone.",
        )
    return run.model.asking(z, target.wish.property_name, target.wish.value), [target.warning]


def _shortest(
    run: TrainedRun, way: Sequence[JudgedMaterial], target: Target
) -> list[JudgedMaterial]:
    """Return the materials from the first up to the smallest change that meets a target; to the
    nearest to it where none does."""
    met = [each for each in way if _meets(each, target)]
    if met:
        last = min(met, key=lambda each: (_exchanged(way[0], each), way.index(each)))
    else:
        last = min(way, key=lambda each: _miss(each, target))
    return list(way[: way.index(last) + 1])


def _meets(judged: JudgedMaterial, target: Target) -> bool:
    return _miss(judged, target) <= target.wish.tolerance


def _miss(judged: JudgedMaterial, target: Target) -> float:
    """Return how far a prediction is from the target, in the property's unit."""
    miss = abs(judged.means[target.wish.property_name] - target.wish.value)
    return miss if np.isfinite(miss) else float("inf")


def _exchanged(one: JudgedMaterial, other: JudgedMaterial) -> float:
    return atoms_exchanged(composition_of(one.material), composition_of(other.material))


def _distinct(materials: Sequence[Material]) -> list[Material]:
    return list({material_id(material): material for material in materials}.values())


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _words(target: Target) -> str:
    return f"{target.wish.property_name} {target.text(target.wish.value)}"


def _said(notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(note for note in notes if note)
