"""Made-up campaigns: plausible events, through the real records and fold, without a simulation.

The values follow a formula that favours chromium and unlike neighbours, so that the figures
have something to show; they mean nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure

from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.exchanges import exchanged_structure
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import (
    CampaignClosed,
    CampaignOpened,
    Decision,
    Event,
    LedgerEntry,
    Lineage,
    ModelFitted,
    Posterior,
    Proposed,
    SessionOpened,
    Stage,
)
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.state.folding.fold import fold
from alloop.loop.state.ranking.utility import Utility
from alloop.materials import Material, composition_of, formula_of, material_id
from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import FailureKind
from tests.loop.ledger import entry, measured

BEGAN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NASTY = "</script><script>alert(1)</script> & <img src=x onerror=alert(2)> ${7*7} {{ 7*7 }}"
VERSIONS = {"python": "3.11.9", "alloop": "0.1.0", "torch": "2.13.0"}


def spec_of(**changes: Any) -> CampaignSpec:
    """Return a small campaign, with some of its keys changed."""
    data: dict[str, Any] = {
        "name": "synthetic",
        "seed": 7,
        "space": {
            "elements": ["Ni", "Fe", "Cr"],
            "fractions": {el: [0.1, 0.6] for el in ("Ni", "Fe", "Cr")},
            "lattices": ["fcc", "bcc"],
            "atoms": 16,
        },
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "constraints": [{"property": "formation_energy_per_atom", "max": 0.08}],
        "acquisition": {"batch": 4, "pool": 8},
        "augmentation": {"parents": 1, "iterations": 2, "swaps": 3},
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
        "budget": {"initial": 12, "rounds": 3, "measurements": [200]},
    }
    return CampaignSpec.model_validate(data | changes)


@dataclass
class Diary:
    """Writes a campaign's events as if it had happened."""

    spec: CampaignSpec
    store: ArtifactStore
    compositions_only: bool = False
    fail_every: int = 9
    """Every so many-th measurement fails."""
    entries: list[LedgerEntry] = field(default_factory=list)
    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.spec.seed)
        self.clock = BEGAN
        self.fingerprints = tuple(sha256(f"tier {i}") for i in range(len(self.spec.tiers)))
        self._write(
            CampaignOpened(
                spec=self.spec.model_dump(mode="json"),
                fingerprints=self.fingerprints,
                versions=VERSIONS,
            )
        )
        self._write(SessionOpened())

    @property
    def state(self) -> CampaignState:
        state = fold(self.entries)
        assert state is not None
        return state

    @property
    def head(self) -> str:
        return self.entries[-1].hash

    def initial(self) -> None:
        """Draw and measure the initial candidates, one of them a duplicate."""
        drafts = [(self._random(), Lineage(source="random", seed=11)) for _ in range(self._n)]
        decisions = [self._decision(m, lineage, "drawn at random") for m, lineage in drafts]
        twin = self._rejected(drafts[0][0], "duplicate", -1.0)
        decisions.insert(3, twin.model_copy(update={"reason": f"made up: {NASTY}"}))
        self._propose(0, Stage.INITIAL, decisions)

    def round(self, number: int) -> None:
        """Train, acquire and search locally."""
        self._write(
            ModelFitted(
                round=number,
                checkpoint=sha256(f"model {number}"),
                n_labelled=len(self.values),
                n_unlabelled=2048,
                epochs=120 // number,
                seconds=61.4 / number,
                metrics={"reconstruction": 0.031 / number, "property_rmse": 0.42 / number},
            )
        )
        self._acquire(number)
        if self.spec.augmentation is not None and not self.compositions_only:
            for iteration in range(1, self.spec.augmentation.iterations + 1):
                self._search(number, iteration)
        for tier in range(1, len(self.spec.tiers)):
            self._promote(number, tier)

    def close(self, reason: str = "all rounds are done") -> None:
        """End the campaign."""
        self._write(CampaignClosed(reason=reason))

    @property
    def _n(self) -> int:
        return self.spec.budget.initial

    def _acquire(self, number: int) -> None:
        options = self.spec.acquisition
        model, latents = sha256(f"model {number}"), sha256(f"latents {number}")
        decisions = []
        drafts = sorted(
            (self._random(number) for _ in range(options.pool)), key=self._merit, reverse=True
        )
        for row, material in enumerate(drafts):
            lineage = Lineage(source="latent", model=model, latents=latents, row=row, seed=5)
            score = -1.0 - 0.21 * row
            expected = self._expected(material, number)
            if row < options.batch:
                reason = f"choice {row + 1} of {options.batch} by acquisition"
                decision = self._decision(material, lineage, reason)
            else:
                decision = self._rejected(material, "acquisition", -0.21 * row, lineage=lineage)
            update = {"acquisition": score, "posterior": expected}
            decisions.append(decision.model_copy(update=update))
        for rule, margin in (("duplicate", -1.0), ("fractions", -0.04), ("min_distance", -0.3)):
            for _ in range(1 + options.pool // (8 * number)):
                decisions.append(self._rejected(self._random(), rule, margin))
        notes = {"trust_region_edge": 0.4 * 1.5 ** (number - 1), "decoded": float(options.pool)}
        self._propose(number, Stage.ACQUISITION, decisions, notes=notes)

    def _search(self, number: int, iteration: int) -> None:
        search = self.spec.augmentation
        assert search is not None
        answers = [m for m in self.state.answers() if m.round == number]
        rank = self.state.utility.rank
        answers.sort(key=lambda m: rank(m.properties), reverse=True)
        decisions = []
        for parent in answers[: search.parents]:
            structure = self.store.get_material(parent.candidate)
            assert isinstance(structure, Structure)
            reason = f"exchange of two atoms around {parent.candidate[:10]}"
            for i, j in self._swaps(structure, search.swaps):
                child = exchanged_structure(structure, (i, j))
                lineage = Lineage(source="swap", parent=parent.candidate, swap=(i, j), seed=3)
                decisions.append(self._decision(child, lineage, reason))
        self._propose(number, Stage.AUGMENTATION, decisions, iteration=iteration)

    def _promote(self, number: int, tier: int) -> None:
        asked = {e.candidate for e in self.state.evaluations if e.tier == tier}
        rank = self.state.utility.rank
        answers = [m for m in self.state.answers(tier - 1) if m.candidate not in asked]
        answers.sort(key=lambda m: rank(m.properties), reverse=True)
        decisions = [
            self.state.decisions[m.candidate].model_copy(
                update={
                    "reason": f"place {place + 1} among the feasible",
                    "posterior": {},
                    "acquisition": None,
                    "lineage": Lineage(source="promoted", parent=m.candidate),
                }
            )
            for place, m in enumerate(answers[:3])
        ]
        self._propose(number, Stage.PROMOTION, decisions, tier=tier)

    def _propose(
        self,
        number: int,
        stage: Stage,
        decisions: Sequence[Decision],
        *,
        iteration: int = 0,
        tier: int = 0,
        notes: dict[str, float] | None = None,
    ) -> None:
        known = {e.id for e in self.state.evaluations}
        fresh, ids = [], set()
        for decision in decisions:  # a candidate is asked for once
            key = evaluation_id(decision.candidate, self.fingerprints[tier])
            if decision.chosen and (key in known or key in ids):
                continue
            ids |= {key} if decision.chosen else set()
            fresh.append(decision)
        self._write(
            Proposed(
                round=number,
                stage=stage,
                iteration=iteration,
                tier=tier,
                decisions=tuple(fresh),
                notes=notes or {},
            )
        )
        for decision in fresh:
            if decision.chosen:
                self._measure(decision, number, stage, tier)

    def _measure(self, decision: Decision, number: int, stage: Stage, tier: int) -> None:
        n = len(self.entries)
        failed = self.fail_every > 0 and n % self.fail_every == 0
        kinds = (FailureKind.NOT_CONVERGED, FailureKind.TIMEOUT, FailureKind.ERROR)
        kind = kinds[n % len(kinds)]
        properties = self.values[decision.candidate]
        if tier:
            noise = self.rng.normal(0, [1.5, 0.006])
            properties = dict(properties) | {
                "bulk_modulus": properties["bulk_modulus"] - 3.0 + noise[0],
                "formation_energy_per_atom": properties["formation_energy_per_atom"] + noise[1],
            }
        self._write(
            measured(
                number,
                stage,
                decision.candidate,
                None if failed else properties,
                fingerprint=self.fingerprints[tier],
                failure=kind,
                tier=tier,
                failure_message=f"made up: {NASTY}" if failed else "",
                relaxed=None if failed else self._relaxed(decision.candidate),
                oracle=("lammps NiFeCr-Wu2017", "chgnet")[tier],
                wall_seconds=0.25 * (1 + 40 * tier),
                core_hours=7e-5 * (1 + 40 * tier),
            )
        )

    def _relaxed(self, candidate: str) -> str | None:
        material = self.store.get_material(candidate)
        if not isinstance(material, Structure):
            return None
        relaxed = material.copy()
        relaxed.apply_strain(-0.011)
        return self.store.put_material(relaxed)

    def _decision(self, material: Material, lineage: Lineage, reason: str) -> Decision:
        candidate = self.store.put_material(material)
        self.values.setdefault(candidate, self._values(material))
        return Decision(
            candidate=candidate,
            formula=formula_of(material),
            lattice=self._lattice(material),
            chosen=True,
            reason=reason,
            lineage=lineage,
        )

    def _rejected(
        self, material: Material, rule: str, margin: float, *, lineage: Lineage | None = None
    ) -> Decision:
        return Decision(
            candidate=material_id(material),
            formula=formula_of(material),
            lattice=self._lattice(material),
            chosen=False,
            rule=rule,
            margin=margin,
            reason=f"made up: {rule} by {margin:g}",
            lineage=lineage or Lineage(source="random", seed=2),
        )

    def _expected(self, material: Material, number: int) -> dict[str, Posterior]:
        spread = {"bulk_modulus": 1.2 / number, "formation_energy_per_atom": 0.006 / number}
        values = self._values(material)
        return {
            name: Posterior(mean=values[name] + std * float(self.rng.normal()), std=std)
            for name, std in spread.items()
        }

    def _random(self, round: int = 0) -> Material:
        """Draw a material; later rounds lean towards what the formula favours."""
        space = self.spec.space
        bounds = space.count_bounds()
        while True:
            weights = self.rng.dirichlet([2.0] * len(space.elements)) + 0.06 * round * np.array(
                [float(el == "Cr") for el in space.elements]
            )
            counts = np.round(space.atoms * weights / weights.sum()).astype(int)
            inside = all(
                low <= n <= high for n, (low, high) in zip(counts, bounds.values(), strict=True)
            )
            if counts.sum() == space.atoms and inside:
                break
        species = [el for el, n in zip(space.elements, counts, strict=True) for _ in range(int(n))]
        if self.compositions_only:
            # A little off the grid, so that no two draws agree.
            fractions = counts + self.rng.uniform(0, 0.4, len(counts))
            return Composition(dict(zip(space.elements, fractions / fractions.sum(), strict=True)))
        name = space.lattices[int(self.rng.integers(len(space.lattices)))]
        parent = ParentLattice.of_size(name, space.atoms)
        return parent.structure([species[i] for i in self.rng.permutation(space.atoms)])

    def _swaps(self, structure: Structure, n: int) -> Iterator[tuple[int, int]]:
        found: set[tuple[int, int]] = set()
        while len(found) < n:
            i, j = sorted(int(k) for k in self.rng.choice(len(structure), 2, replace=False))
            if structure[i].specie != structure[j].specie and (i, j) not in found:
                found.add((i, j))
                yield i, j

    def _values(self, material: Material) -> dict[str, float]:
        fractions = composition_of(material)
        unlike, dense = 0.6, 0.0
        if isinstance(material, Structure):
            parent = ParentLattice.of_size(self._lattice(material) or "fcc", len(material))
            species = np.array([site.specie.symbol for site in material])
            shell = parent.shells[0]
            unlike = float((species[:, None] != species[shell]).mean())
            dense = float(self._lattice(material) == "fcc")
        wiggle = int(material_id(material)[:6], 16) / 16**6 - 0.5
        cr, ni = (float(fractions[el]) for el in ("Cr", "Ni"))
        return {
            "bulk_modulus": 153 + 22 * cr + 6 * ni + 45 * unlike + 3.5 * dense + 1.5 * wiggle,
            "formation_energy_per_atom": 0.16 * cr - 0.09 * unlike + 0.06 + 0.02 * wiggle,
            "energy_per_atom": -4.4 + 0.3 * cr,
            "volume_per_atom": 11.4 + 0.4 * cr,
        }

    def _merit(self, material: Material) -> tuple[bool, float]:
        return Utility.of(self.spec, []).rank(self._values(material))

    def _lattice(self, material: Material) -> str | None:
        if isinstance(material, Composition):
            return None
        a, _, c = material.lattice.abc
        return "fcc" if c / a > 1.2 else "bcc"

    def _write(self, event: Event) -> None:
        self.clock += timedelta(seconds=0.9)
        previous = self.entries[-1].hash if self.entries else "0" * 64
        seq = len(self.entries) + 1
        hash = sha256(f"{previous} {seq}")
        self.entries.append(entry(seq, event, time=self.clock, previous=previous, hash=hash))


def campaign(spec: CampaignSpec, store: ArtifactStore, *, rounds: int = 3, **how: Any) -> Diary:
    """Return a closed campaign of some rounds."""
    diary = Diary(spec, store, **how)
    diary.initial()
    for number in range(1, rounds + 1):
        diary.round(number)
    diary.close(f"all {rounds} rounds are done")
    return diary
