"""Checks across the parts of a spec; each disagreement names the key and the remedy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Never

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from alloop.campaigns.feasibility import contradiction
from alloop.campaigns.objectives import ELECTRONIC, RESERVED, Constraint, Objective
from alloop.campaigns.promotion import PromotionOptions
from alloop.oracles.alloy_cells.options import CrystalOracleOptions
from alloop.oracles.options import AsksPeople, ListsMaterials, OracleOptions, StartsWarm
from alloop.properties import UNDECLARED, UNITS
from alloop.space import Compositions, CrystalSpace

if TYPE_CHECKING:
    from alloop.campaigns.spec import CampaignSpec


def _refuse(place: Sequence[str | int], message: str) -> Never:
    """Raise a validation error at a key path of the spec."""
    error = PydanticCustomError("value_error", "{message}", {"message": message})
    details = InitErrorDetails(type=error, loc=tuple(place), input=None)
    raise ValidationError.from_exception_data("CampaignSpec", [details])


def units_in(spec: "CampaignSpec") -> dict[str, str]:
    """Return the unit of every property that the campaign may name: the table's, the spec's own,
    and those that its tiers bring.

    Raises:
        ValidationError: if two of them give one property different units.
    """
    units = dict(UNITS)
    for name, own in spec.properties.items():
        if name in RESERVED:
            _refuse(("properties", name), f"{name} is a column's name; take another")
        if units.setdefault(name, own.unit) != own.unit:
            _refuse(
                ("properties", name, "unit"),
                f"{name} is in {units[name]}, not in {own.unit!r}; convert the numbers and write "
                f"unit: {units[name]}, or leave {name} out",
            )
    for place, tier in enumerate(spec.tiers):
        for name, unit in tier.measures().items():
            if unit == UNDECLARED:
                continue
            if units.setdefault(name, unit) != unit:
                _refuse(
                    ("tiers", place),
                    f"{tier.kind} measures {name} in {unit}, and here it is in {units[name]}; "
                    f"declare it in {unit}, or convert in the oracle",
                )
    return units


def check_properties(spec: "CampaignSpec") -> None:
    """Check that every property has a unit, and one only."""
    units = units_in(spec)
    wishes: dict[str, Sequence[Objective | Constraint]] = {
        "objectives": spec.objectives,
        "constraints": spec.constraints,
    }
    for key, parts in wishes.items():
        for place, wish in enumerate(parts):
            name, unit = wish.property, wish.unit
            if name not in units:
                _refuse((key, place, "property"), _unknown(name, units))
            if unit not in (None, units[name]):
                _refuse(
                    (key, place, "unit"),
                    f"{name} is in {units[name]}, not in {unit!r}; convert the numbers and write "
                    f"unit: {units[name]}, or leave it out",
                )
    for place, tier in enumerate(spec.tiers):
        if unknown := [name for name in tier.measures() if name not in units]:
            _refuse(("tiers", place), _unknown(unknown[0], units))


def _unknown(name: str, units: Mapping[str, str]) -> str:
    return (
        f"unknown property {name!r}; known are {', '.join(units)}; declare it with its unit, "
        f"properties: {{{name}: {{unit: …}}}}"
    )


def check_space(spec: "CampaignSpec") -> None:
    """Check that model, search and tiers can treat what the space holds."""
    space, search = spec.space, spec.augmentation
    if isinstance(space, Compositions) and search is not None:
        raise ValueError("augmentation exchanges atoms; compositions have none: remove it")
    for place, tier in enumerate(spec.tiers):
        if space.kind not in (able := tier.spaces()):
            raise ValueError(
                f"tiers.{place} ({tier.kind}) measures {' and '.join(able)}, not {space.kind}"
                f"{_with_cells(tier)}"
            )
    if space.kind not in (able := spec.model.spaces()):
        raise ValueError(
            f"the model {spec.model.kind} learns {' and '.join(able)}, not {space.kind}; "
            "change model.kind or space.kind"
        )
    if spec.acquisition.uses_model:
        spec.model.check(space, spec.property_names())
    if search is not None and search.warm_start:
        first = spec.tiers[0]
        if not isinstance(first, StartsWarm):
            raise ValueError(
                f"augmentation.warm_start: tiers.0 ({first.kind}) measures every neighbour from "
                "scratch; leave warm_start out"
            )
        if isinstance(space, CrystalSpace) and space.most_atoms() > first.max_warm_start_atoms:
            raise ValueError(
                "augmentation.warm_start keeps second derivatives of cells of up to "
                f"{first.max_warm_start_atoms} atoms, and the space's have {space.most_atoms()}; "
                "leave warm_start out"
            )


def _with_cells(tier: OracleOptions) -> str:
    """Return what would let a tier measure the other sort of material, as text."""
    if not isinstance(tier, CrystalOracleOptions):
        return ""
    if tier.cells is None:
        return "; give it cells to measure compositions in, cells: {lattice: fcc, atoms: 108}"
    return "; remove its cells"


def check_budget(spec: "CampaignSpec") -> None:
    """Check that the budget has a total for every tier, and limits money where it is spent."""
    budget, tiers = spec.budget, spec.tiers
    if len(budget.measurements) != len(tiers):
        raise ValueError(
            f"budget.measurements has {len(budget.measurements)} totals for {len(tiers)} tiers; "
            "give one per tier"
        )
    for key, limits in (("core_hours", budget.core_hours), ("money", budget.money)):
        if limits and len(limits) != len(tiers):
            raise ValueError(
                f"budget.{key} has {len(limits)} limits for {len(tiers)} tiers; give one per "
                "tier, null for none"
            )
    for place, (limit, tier) in enumerate(zip(budget.money, tiers, strict=False)):
        if limit is not None and not tier.core_hour_price:
            raise ValueError(
                f"budget.money limits tiers.{place}, which costs nothing; give it a "
                "core_hour_price, or write null"
            )


FEWEST_INITIAL = 2
"""Least number of initial candidates, where nothing is known: no surrogate is fitted to one
label."""


def check_start(spec: "CampaignSpec") -> None:
    """Check that there is something to begin with, and that what is brought is of the campaign's
    tiers and properties."""
    start, units = spec.start, units_in(spec)
    if spec.budget.initial < FEWEST_INITIAL and (start is None or spec.budget.initial):
        _refuse(
            ("budget", "initial"),
            f"{spec.budget.initial} candidates are too few to begin with; give at least "
            f"{FEWEST_INITIAL}, or 0 with labels in start",
        )
    for place, source in enumerate(() if start is None else start.labels):
        at = ("start", "labels", place)
        if isinstance(source.tier, int) and not 0 <= source.tier < len(spec.tiers):
            last = len(spec.tiers) - 1
            _refuse((*at, "tier"), f"there is no tier {source.tier}; give 0 to {last}, or other")
        for key in ("properties", "units"):
            if unknown := [name for name in getattr(source, key) if name not in units]:
                _refuse((*at, key), _unknown(unknown[0], units))


def _check_properties(spec: "CampaignSpec", place: int, tier: OracleOptions) -> None:
    given, wanted = tier.measures(), spec.required_properties(place)
    if missing := [name for name in wanted if name not in given]:
        raise ValueError(
            f"tiers.{place} ({tier.kind}) does not measure {', '.join(missing)}; as it is "
            f"set, it measures {', '.join(sorted(given))}" + electronic_property_hint(missing)
        )
    lacking = tier.unmeasured(spec.space.elements)
    for name in wanted:
        if name in lacking:
            raise ValueError(
                f"tiers.{place} ({tier.kind}) measures no {name} in this space: {lacking[name]}; "
                "take these elements out of the space, or ask for another property"
            )


def check_tiers(spec: "CampaignSpec") -> None:
    """Check that every tier measures what is wanted, and can be asked as the spec says."""
    tiers = spec.tiers
    for place, tier in enumerate(tiers):
        _check_properties(spec, place, tier)
    if tiers[-1].gate:
        raise ValueError(
            f"tiers.{len(tiers) - 1}.gate does nothing: nothing is promoted from the last tier; "
            "write a constraint, or remove it"
        )
    if tiers[0].promote:
        raise ValueError(
            f"tiers.0 promotes {tiers[0].promote}, but there is no tier below it; "
            "put promote on the higher tier"
        )
    if spec.acquisition.candidates == "table":
        if not isinstance(tiers[0], ListsMaterials):
            raise ValueError(
                f"acquisition.candidates is table, but tiers.0 is of kind {tiers[0].kind}, which "
                "lists no materials"
            )
        if spec.recognises_rows:
            raise ValueError(
                "tiers.0.match: structure does nothing where acquisition.candidates is table: the "
                "candidates are the rows themselves; remove one of them"
            )
        if spec.augmentation is not None:
            raise ValueError("augmentation makes new materials; a table has none: remove it")
        if spec.acquisition.strategy == "latent-gradient":
            raise ValueError(
                "acquisition.strategy latent-gradient decodes new materials; a table has none: "
                "take screening, or leave candidates out"
            )
    if spec.acquisition.aim == "top-tier":
        if not all(tier.promote for tier in tiers[1:]) or len(tiers) < 2:
            raise ValueError(
                "acquisition.aim: top-tier needs a higher tier that candidates are promoted to; "
                "add one with promote, or leave aim out"
            )
        if spec.promotion.when == "end":
            raise ValueError(
                "acquisition.aim: top-tier learns from promotions, which promotion.when: end "
                "puts off until there is nothing left to acquire; write when: round"
            )


def check_constraints(spec: "CampaignSpec") -> None:
    """Check that the constraints do not contradict one another."""
    if (found := contradiction(spec.constraints)) is not None:
        place, problem = found
        _refuse(("constraints", place), problem)


def check_stopping(spec: "CampaignSpec") -> None:
    """Check that what is to end the campaign can ever apply."""
    if problem := spec.stop.problem(spec.objectives, spec.constraints, spec.acquisition):
        _refuse(("stop", problem[0]), problem[1])


def electronic_property_hint(missing: Sequence[str]) -> str:
    """Return a hint where electronic properties come from, if any of the missing ones is one."""
    if not (of_electrons := [name for name in missing if name in ELECTRONIC]):
        return ""
    return (
        f". A potential knows no electrons: {of_electrons[0]} comes from DFT (kind: dft with "
        "engine: espresso or vasp), from a table of its results (kind: table) or from a person who "
        "enters them (kind: person)"
    )


def check_idle_options(spec: "CampaignSpec") -> None:
    """Refuse options that would change nothing; ``AcquisitionOptions`` refuses its own."""
    _check_idle_objectives(spec)
    if len(spec.tiers) == 1:
        for key, field in PromotionOptions.model_fields.items():
            if getattr(spec.promotion, key) != field.default:
                _refuse(
                    ("promotion", key),
                    "nothing is promoted, as there is one tier only; remove it",
                )
        if not spec.learning.higher_tiers:
            _refuse(("learning", "higher_tiers"), "there is one tier only; remove it")
    acquisition = spec.acquisition
    if (
        acquisition.candidates == "table"
        and acquisition.trust_region is not None
        and not isinstance(spec.space, Compositions)
    ):
        _refuse(
            ("acquisition", "trust_region"),
            "rows of a table have a trust region in spaces of compositions alone; remove it",
        )
    learning = type(spec.learning).model_fields
    if spec.learning.unlabelled != learning["unlabelled"].default and (
        not spec.acquisition.uses_model
    ):
        _refuse(
            ("learning", "unlabelled"),
            f"strategy {spec.acquisition.strategy} trains no model; remove it",
        )
    for place, tier in enumerate(spec.tiers):
        try:
            tier.check()
        except ValueError as error:
            _refuse(("tiers", place), str(error))
        if place and not tier.promote and not isinstance(tier, AsksPeople):
            _refuse(
                ("tiers", place, "promote"),
                "0 candidates are ever sent to this tier; say how many, or remove the tier",
            )


def _check_idle_objectives(spec: "CampaignSpec") -> None:
    """Refuse keys of objectives that would change nothing, and objectives that contend with
    themselves."""
    if len(spec.objectives) == 1:
        if spec.scalarisation is not None:
            _refuse(("scalarisation",), "there is one objective only, and no sum; remove it")
        for key, field in (("weight", 1), ("scale", None), ("reference", None)):
            if getattr(spec.objectives[0], key) != field:
                _refuse(
                    ("objectives", 0, key),
                    f"a {key} counts against other objectives, and there are none; remove it",
                )
    for place, objective in enumerate(spec.objectives):
        if objective.property in [other.property for other in spec.objectives[:place]]:
            _refuse(
                ("objectives", place, "property"),
                f"{objective.property} is an objective already; name each property once, and what "
                "else is asked of it as a constraint",
            )
        for key, field in (("weight", 1), ("scale", None)):
            if spec.scalarisation is None and getattr(objective, key) != field:
                _refuse(
                    ("objectives", place, key),
                    f"the search for the Pareto front knows no {key}; remove it, or write "
                    "scalarisation: weighted-sum",
                )
