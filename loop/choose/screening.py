"""Screening: the rules a candidate must pass before it may be measured; each gives a reason and a
margin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition, Structure

from alloop.crystal_matching import CrystalMatcher
from alloop.errors import AlloopError, MaterialError, PluginError, one_line
from alloop.kinds import SCREENS, find_kind
from alloop.loop.choose.rows.rows import Recognise, recogniser_of
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, composition_of, formula_of, material_id
from alloop.models.lattice.decorations import DecorationSpace, parents_in
from alloop.models.lattice.parent import ParentLattice, read_decoration
from alloop.parents.rules import PRICE_SLACK
from alloop.space import Compositions, Decorations, Space, Structures

FRACTION_TOLERANCE = 1e-6
"""Tolerance of equal atomic fractions: far finer than any alloy is made."""
FINEST_STEP = 0.001
"""Step of fractions that every proposed alloy has anyway; tables may hold finer ones."""


@dataclass(frozen=True)
class CandidateRejection:
    """The rule that a candidate failed, with the margin and the reason."""

    rule: str
    margin: float
    """Distance from passing, in the rule's unit; negative."""
    reason: str


ScreeningRule = Callable[[Material, Space], CandidateRejection | None]


def has_allowed_elements(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse elements that the space does not list."""
    stray = {el.symbol for el in composition_of(material).elements} - set(space.elements)
    if not stray:
        return None
    return CandidateRejection("elements", -len(stray), f"contains {', '.join(sorted(stray))}")


def has_allowed_fractions(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse a composition outside the fraction bounds; the margin is in atomic fractions."""
    composition = composition_of(material)
    worst = CandidateRejection("fractions", 0.0, "")
    for symbol in space.elements:
        low, high = space.bounds(symbol)
        fraction = float(composition[symbol])
        margin = min(fraction - low, high - fraction)
        if margin < min(worst.margin, -FRACTION_TOLERANCE):
            text = f"{symbol} is {fraction:.4f}, allowed are {low:g} to {high:g}"
            worst = CandidateRejection("fractions", margin, text)
    return worst if worst.reason else None


def has_enough_distance(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse atoms closer than the space's minimum distance; the margin is in Å."""
    if isinstance(material, Composition) or len(material) < 2:
        return None
    assert isinstance(space, Decorations | Structures)
    first, second = np.triu_indices(len(material), k=1)
    distances = material.distance_matrix[first, second]
    margin = float(distances.min()) - space.min_distance
    if margin < 0:
        return CandidateRejection(
            "min_distance", margin, f"two atoms are {distances.min():.3f} Å apart"
        )
    symbols = np.array([site.specie.symbol for site in material])
    for pair, least in space.min_distances.items():
        one, other = pair.split("-")
        here = (symbols[first] == one) & (symbols[second] == other)
        here |= (symbols[first] == other) & (symbols[second] == one)
        nearest = float(distances[here].min(initial=np.inf))
        if nearest < least:
            text = f"{one} and {other} are {nearest:.3f} Å apart, at least {least:g} is wanted"
            return CandidateRejection("min_distance", nearest - least, text)
    return None


def has_allowed_price(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse what costs too much by its elements; the margin is a price per mole of atoms."""
    if not space.price_excess:
        return None
    fractions = composition_of(material).get_el_amt_dict()
    excess = sum(x * space.price_excess.get(symbol, 0.0) for symbol, x in fractions.items())
    if excess <= PRICE_SLACK:
        return None
    mass = float(composition_of(material).weight) / 1000
    price = (space.max_price or 0.0) + excess / mass
    return CandidateRejection(
        "price", -excess, f"its elements cost {price:.4g} per kg, at most {space.max_price:g}"
    )


def is_weighable(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse fractions between the steps that can be weighed; the margin is in atomic fractions."""
    if not isinstance(space, Compositions) or space.step <= FINEST_STEP:
        return None
    fractions = composition_of(material).get_el_amt_dict()
    off = {el: abs(x - space.step * round(x / space.step)) for el, x in fractions.items()}
    worst = max(off, key=lambda el: off[el])
    if off[worst] <= FRACTION_TOLERANCE:
        return None
    text = f"{worst} is {fractions[worst]:.4f}, no whole number of steps of {space.step:g}"
    return CandidateRejection("step", -off[worst], text)


def passes_own_screens(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse what a rule of somebody's own refuses.

    Raises:
        PluginError: if the rule is not installed, or fails.
    """
    for name in space.screens:
        kind = find_kind(SCREENS, name)
        try:
            reason = kind.screen()(material)
        except AlloopError:
            raise
        except Exception as error:  # a plugin may raise anything
            raise PluginError(
                f"{kind} fails on {formula_of(material)} ({one_line(error)})",
                remedy=f"Update {kind.package}, or take {name} out of space.screens.",
            ) from error
        if reason is not None:
            return CandidateRejection("screens", -1.0, " ".join(f"{name}: {reason}".split())[:300])
    return None


def has_allowed_size(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse cells with too many atoms, and alloys of too few or too many elements; the margin
    is a number of atoms or elements.
    """
    if isinstance(space, Structures) and isinstance(material, Structure):
        most, n = space.max_atoms, len(material)
        if n > most:
            return CandidateRejection("size", most - n, f"{n} atoms, at most {most}")
        n = len(material.composition.elements)
        if space.max_elements is not None and n > space.max_elements:
            text = f"{n} elements, at most {space.max_elements}"
            return CandidateRejection("size", space.max_elements - n, text)
    if isinstance(space, Compositions):
        fewest, most = space.element_numbers()
        n = len(composition_of(material).elements)
        if not fewest <= n <= most:
            text = f"{n} elements, allowed are {fewest} to {most}"
            return CandidateRejection("size", min(n - fewest, most - n), text)
    return None


def is_allowed_decoration(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse what is no decoration of a space's own parents, or breaks the counts of a sublattice,
    charge, or the number of elements; the margin is a number of atoms or charges.

    Alloys on fcc and bcc, all of whose sites are alike, have fractions alone to keep.
    """
    if not isinstance(space, Decorations) or not (space.parent_options or space.has_rules):
        return None
    decorations = DecorationSpace.of_space(space)
    try:
        codes, _ = decorations.read([material])
    except MaterialError as error:
        return CandidateRejection("sublattices", -1.0, error.what)
    violation = float(space.rules.violation(decorations.counts(codes))[0])
    if not violation:
        return None
    text = "the numbers of atoms on its sublattices, its charge or its number of elements"
    return CandidateRejection("sublattices", -violation, f"{text} are off by {violation:g}")


RULES: tuple[ScreeningRule, ...] = (
    has_allowed_elements,
    has_allowed_fractions,
    has_allowed_size,
    has_allowed_price,
    is_weighable,
    is_allowed_decoration,
    has_enough_distance,
    passes_own_screens,
)
"""Rules about one candidate alone, in the order they are tried."""
SCREENING_RULES = frozenset(
    {
        "elements",
        "fractions",
        "size",
        "sublattices",
        "price",
        "step",
        "min_distance",
        "screens",
        "vetoed",
        "infeasible",
        "duplicate",
        "resolution",
        "table",
    }
)
"""Names of the rules by which ``screen`` rejects; all others say that a better one was chosen."""


class Seen:
    """Everything measured, pending, vetoed, or brought with its values, to tell whether a candidate
    is another of the same.

    It follows the campaign's state and is changed by nothing else; who chooses a batch, and must
    not choose the same twice, adds to an ``overlay``.

    Decorations of a parent lattice are the same when a symmetry of the lattice maps one onto
    the other; compositions when their fractions agree; other structures when pymatgen's
    ``StructureMatcher`` says so. Where the first tier knows crystals again in its table, those of
    one row are the same, and those of none are refused.
    """

    def __init__(self, below: "Seen | None" = None, *, space: Space | None = None) -> None:
        self.infeasible: dict[str, str] = {} if below is None else below.infeasible
        """Why a candidate cannot be measured, by its id, where that is so."""
        self.vetoed: dict[str, str] = {} if below is None else below.vetoed
        """Who vetoed a candidate and why, by its id, where somebody did."""
        self._below = below
        self._parents: tuple[ParentLattice, ...] = (
            parents_in(space) if below is None else below._parents
        )
        self._n_followed = 0
        self._n_brought = 0
        self._followed_vetoes: set[str] = set()
        self._ids: dict[bytes, str] = {}
        self._compositions: dict[str, Composition] = {}
        self._others: dict[str, dict[str, Structure]] = {}
        self._matcher: CrystalMatcher = CrystalMatcher() if below is None else below._matcher
        self._recognise: Recognise | None = None if below is None else below._recognise

    def follow(self, state: CampaignState, store: ArtifactStore) -> None:
        """Take up what a campaign has asked for, or was brought with all values of the first tier,
        since it was followed last."""
        self.infeasible = state.reasons_infeasible
        self._recognise = recogniser_of(state)
        self._parents = parents_in(state.spec.space)
        self.vetoed = state.by_hand.reasons_vetoed
        for id in self.vetoed:
            if id not in self._followed_vetoes:
                self.add(id, store.get_material(id))
                self._followed_vetoes.add(id)
        for evaluation in state.evaluations[self._n_followed :]:
            self.add(evaluation.candidate, store.shared_material(evaluation.candidate))
        self._n_followed = len(state.evaluations)
        brought = [m for m in state.brought_measurements if m.tier == 0 and not m.is_partial]
        for m in brought[self._n_brought :]:
            self.add(m.candidate, store.get_material(m.candidate))
        self._n_brought = len(brought)

    def overlay(self) -> "Seen":
        """Return one that knows all this too, and whose additions leave this one as it is."""
        return Seen(self)

    def add(self, candidate: str, material: Material) -> None:
        """Remember a candidate under its id; once more changes nothing."""
        key = self._key(material)
        if key is not None:
            self._ids.setdefault(key, candidate)
            if isinstance(material, Composition):
                self._compositions[candidate] = composition_of(material)
        elif isinstance(material, Structure):
            self._others.setdefault(formula_of(material), {})[candidate] = material

    def equivalent(self, material: Material) -> str | None:
        """Return the id of an equivalent candidate, if there is one."""
        return self._find(self._key(material), material)

    def is_unanswerable(self, material: Material) -> bool:
        """Return whether the first tier answers for rows of its table alone, and it is none."""
        return self._recognise is not None and self._recognise(material) is None

    def _key(self, material: Material) -> bytes | None:
        if self._recognise is not None and (row := self._recognise(material)) is not None:
            return f"row {row}".encode()
        return canonical_key(material, self._parents)

    def _find(self, key: bytes | None, material: Material) -> str | None:
        if self._below is not None and (known := self._below._find(key, material)) is not None:
            return known
        if key is not None:
            return self._ids.get(key)
        assert isinstance(material, Structure)
        others = self._others.get(formula_of(material), {})
        return next(
            (id for id, other in others.items() if self._matcher.matches(other, material)), None
        )

    def nearest(self, material: Composition) -> tuple[str, float] | None:
        """Return the composition that is most alike, and by how much its atomic fractions differ at
        most; None if none is known.
        """
        fractions = composition_of(material)
        found = [(id, _difference(fractions, known)) for id, known in self._compositions.items()]
        if self._below is not None and (below := self._below.nearest(material)) is not None:
            found = [below, *found]
        return min(found, key=lambda pair: pair[1], default=None)


def _difference(one: Composition, other: Composition) -> float:
    return max(abs(one[el] - other[el]) for el in {*one.elements, *other.elements})


def canonical_key(material: Material, parents: Sequence[ParentLattice] = ()) -> bytes | None:
    """Return bytes that equivalent materials share, or None where only matching can tell.

    Args:
        material: any.
        parents: that it may decorate; without any, alloys on fcc and bcc.
    """
    if isinstance(material, Composition):
        fractions = composition_of(material).get_el_amt_dict()
        return " ".join(f"{el}{x:.6f}" for el, x in sorted(fractions.items())).encode()
    try:
        parent, species = read_decoration(material, parents)
        return parent.canonical(species)
    except MaterialError:
        return None


def screen(material: Material, space: Space, seen: Seen) -> CandidateRejection | None:
    """Return the first rule that a candidate fails, or None."""
    for rule in RULES:
        if (rejection := rule(material, space)) is not None:
            return rejection
    if seen.is_unanswerable(material):
        text = "no row of the first tier's table is this crystal"
        return CandidateRejection("table", -1.0, text)
    if (twin := seen.equivalent(material)) is not None:
        if (why := seen.vetoed.get(twin)) is not None:
            same = "" if twin == material_id(material) else f"equivalent to candidate {twin[:10]}, "
            return CandidateRejection("vetoed", -1.0, f"{same}{why}")
        if (why := seen.infeasible.get(twin)) is not None:
            text = f"equivalent to candidate {twin[:10]}, which cannot be measured ({why})"
            return CandidateRejection("infeasible", -1.0, text)
        return CandidateRejection("duplicate", -1.0, f"equivalent to candidate {twin[:10]}")
    return _indistinct_rejection(material, space, seen)


def _indistinct_rejection(
    material: Material, space: Space, seen: Seen
) -> CandidateRejection | None:
    """Refuse an alloy that nobody could tell from another; the margin is in atomic fractions."""
    if not isinstance(space, Compositions) or not space.resolution:
        return None
    assert isinstance(material, Composition)
    nearest = seen.nearest(material)
    if nearest is None or nearest[1] > space.resolution:
        return None
    id, difference = nearest
    text = f"no fraction differs by more than {difference:.4f} from candidate {id[:10]}"
    return CandidateRejection("resolution", difference - space.resolution, text)


def lattice_of(material: Material, space: Space | None = None) -> str | None:
    """Return the name of the parent lattice that a structure decorates, where there is one: of a
    space's, or fcc or bcc."""
    if isinstance(material, Composition):
        return None
    try:
        parent, _ = read_decoration(material, parents_in(space))
    except MaterialError:
        return None
    return parent.name
