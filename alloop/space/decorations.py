"""Orderings of elements, and vacancies, on the sites of parent lattices."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from alloop.lattices import LatticeName, cells_per_edge
from alloop.parents.layout import Layout, OpenSublattice, alloy_layout, layout_of
from alloop.parents.options import (
    ParentOptions,
    Repeats,
    SublatticeOptions,
    WantedSites,
    number_of,
)
from alloop.parents.species import VACANCY, SpeciesName
from alloop.space.base import CrystalSpace, Symbol, sums_of

if TYPE_CHECKING:
    from alloop.parents.rules import CountRules

Charge = float | tuple[float, float]
"""Oxidation state, or the lowest and highest of an element that has several."""


class Decorations(CrystalSpace):
    """Orderings of the elements on the sites of one or more parent lattices."""

    kind: Literal["decorations"] = "decorations"
    usual_model: ClassVar[str] = "lattice"
    bounds_keys: ClassVar[frozenset[str]] = CrystalSpace.bounds_keys | {"charges", "max_elements"}
    extensible_keys: ClassVar[frozenset[str]] = CrystalSpace.extensible_keys | {"lattices"}
    elements: tuple[Symbol, ...] = Field(
        default=(), description="left out where sublattices name them"
    )
    lattices: tuple[LatticeName, ...] = Field(
        default=("fcc", "bcc"), description="of alloys, in cells of 2 n³ atoms"
    )
    parent: ParentOptions | None = Field(
        default=None, description="a prototype, or a crystal of one's own; instead of lattices"
    )
    parents: tuple[ParentOptions, ...] = Field(default=(), description="several of them")
    atoms: WantedSites = Field(
        default=54,
        description="sites per cell, or about N: of lattices 2 n³, that is 2, 16, 54, 128, …",
    )
    supercell: Repeats | None = Field(
        default=None, description="unit cells of the parent along each axis, instead of atoms"
    )
    sublattices: Mapping[str, SublatticeOptions] = Field(
        default_factory=dict, description="what may sit on which sites of the parent"
    )
    charges: Mapping[Symbol, Charge] = Field(
        default_factory=dict,
        description="oxidation state of every element, or lowest and highest: cells are neutral",
    )
    max_elements: int | None = Field(
        default=None, ge=1, description="largest number of elements in one cell; any, if null"
    )

    @model_validator(mode="before")
    @classmethod
    def _parents_name_elements(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, Mapping):
            return value
        data = _without_banned_species(value)
        if isinstance(given := data.get("elements"), list | tuple) and VACANCY in given:
            raise ValueError(
                "a vacancy is a species of a sublattice; write parent: {prototype: fcc} and "
                f"sublattices: {{A: {{elements: [{', '.join(map(str, given))}]}}}}"
            )
        told = [data["parent"]] if data.get("parent") else list(data.get("parents") or ())
        if not told:
            return data
        if data.get("lattices"):
            raise ValueError("lattices and parents both say what is decorated; write one of them")
        data["lattices"] = ()
        try:
            parents = [ParentOptions.model_validate(one, context=info.context) for one in told]
            sublattices = {
                str(name): SublatticeOptions.model_validate(one)
                for name, one in (data.get("sublattices") or {}).items()
            }
        except (ValidationError, AttributeError):
            return data  # said, with its place, by the fields' own validation
        if data.get("parent"):
            data["parent"] = parents[0]
        else:
            data["parents"] = tuple(parents)
        if not sublattices:
            return data
        data["sublattices"] = sublattices
        named = _elements_of(parents, sublattices)
        if (given := data.get("elements")) and set(given) != set(named):
            raise ValueError(
                f"elements lists {', '.join(given)}, and on the sublattices there are "
                f"{', '.join(named)}; leave elements out"
            )
        data["elements"] = given or named
        return data

    @model_validator(mode="after")
    def _cells_are_possible(self) -> Self:
        if not self.elements:
            raise ValueError("elements is missing; list the elements to order")
        if self.parent is not None and self.parents:
            raise ValueError("parent and parents both say what is decorated; write one of them")
        if self.parent_options:
            self._check_parents()
        else:
            self._check_alloys()
        if self.charges:
            self._check_charges()
        return self

    def _check_parents(self) -> None:
        names = self.parent_names
        if len(set(names)) != len(names):
            raise ValueError(f"parents {list(names)} names one twice")
        if self.sublattices and self.fractions:
            raise ValueError(
                "fractions are shares of a sublattice's sites where there are sublattices; write "
                "sublattices: {A: {elements: […], fractions: {…}}}"
            )
        for one in self.layout.sublattices:
            if (problem := one.problem()) is not None:
                raise ValueError(problem)

    def _check_alloys(self) -> None:
        for key in ("sublattices", "supercell"):
            if getattr(self, key):
                raise ValueError(f"{key} belongs to a parent; write parent: {{prototype: fcc}}")
        if not self.lattices:
            raise ValueError("name a parent, or lattices: [fcc, bcc]")
        if len(set(self.lattices)) != len(self.lattices):
            raise ValueError(f"lattices {list(self.lattices)} names one twice")
        number, is_exact = number_of(self.atoms)
        if number < 1 or (is_exact and 2 * cells_per_edge(number) ** 3 != number):
            raise ValueError(
                f"{self.atoms} atoms do not fill n × n × n two-atom cells; take 2, 16, 54 or 128, "
                f"write about {self.atoms}, or name a parent: {{prototype: fcc}} takes 4, 32, 108"
            )
        (sites,) = self.layout.sublattices
        bounds = dict(zip(sites.species, sites.count_bounds, strict=True))
        if empty := [symbol for symbol, (low, high) in bounds.items() if low > high]:
            raise ValueError(
                f"no whole number of {empty[0]} atoms out of {self.atoms} lies within its "
                "fractions; widen them or take a larger cell"
            )
        least, most = sums_of(sites.count_bounds)
        if not least <= sites.n_sites <= most:
            raise ValueError(
                f"the fractions allow {least:g} to {most:g} atoms, never {self.atoms}; "
                f"{self.emptied_by(self._can_fill_a_cell)}; "
                "loosen the bounds so that they can sum to one"
            )

    def _check_charges(self) -> None:
        if missing := [symbol for symbol in self.elements if symbol not in self.charges]:
            raise ValueError(
                f"charges does not say the oxidation state of {', '.join(missing)}; add it"
            )
        if stray := sorted(set(self.charges) - set(self.elements)):
            raise ValueError(f"charges names {', '.join(stray)}, which is not in the space")
        if (problem := self.rules.charge_problem()) is not None:
            raise ValueError(problem)

    def _can_fill_a_cell(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        shares = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        sites = OpenSublattice.of("A", self.elements, self.n_sites, shares)
        return sites.problem() is None

    @property
    def parent_options(self) -> tuple[ParentOptions, ...]:
        """Parents that are named as such; none where ``lattices`` names them."""
        return (self.parent,) if self.parent is not None else self.parents

    @property
    def parent_names(self) -> tuple[str, ...]:
        """Names of all parents."""
        return self.lattices or tuple(one.name for one in self.parent_options)

    @cached_property
    def layout(self) -> Layout:
        """Supercells and open sublattices."""
        if not self.parent_options:
            number, _ = number_of(self.atoms)
            n = max(1, cells_per_edge(number))
            shares = [self.bounds(symbol) for symbol in self.elements]
            return alloy_layout(self.lattices, n, self.elements, shares)
        return layout_of(
            self.parent_options,
            self.sublattices,
            self.elements,
            self.fractions,
            supercell=self.supercell,
            atoms=self.atoms,
        )

    @cached_property
    def rules(self) -> "CountRules":
        """Rules about the numbers of atoms beside their bounds."""
        from alloop.parents.rules import CountRules  # noqa: PLC0415 (a spec is read without numpy)

        states = {
            symbol: charge if isinstance(charge, tuple) else (charge, charge)
            for symbol, charge in self.charges.items()
        }
        return CountRules(self.layout, states, self.max_elements, self.price_excess)

    @property
    def has_rules(self) -> bool:
        """Whether there is more to keep than the bounds of every species."""
        limits = self.max_elements, self.max_price
        return bool(self.charges) or any(limit is not None for limit in limits)

    @property
    def n_sites(self) -> int:
        """Number of sites of the largest cell, vacant ones among them."""
        return max(one.n_sites for one in self.layout.supercells)

    @property
    def has_one_kind_of_site(self) -> bool:
        """Whether every site of every cell is open to all elements, and none may be vacant."""
        layout = self.layout
        is_open = len(layout.sublattices) == 1 and layout.n_open == self.n_sites
        return is_open and VACANCY not in layout.species and not self.has_rules

    def most_atoms(self) -> int:
        """Return the number of atoms of the largest cell, with no site vacant."""
        return self.n_sites

    def is_certainly_possible(self) -> bool:
        """Return whether the least distance is no larger than usual: below that of every metal."""
        usual = type(self).model_fields["min_distance"].default
        return self.min_distance <= usual and not self.parent_options

    def count_bounds(self) -> dict[str, tuple[int, int]]:
        """Return the fewest and most atoms of each element in a cell, in the order given; of all
        open sublattices together, and fixed atoms."""
        found = {}
        for symbol in self.elements:
            low = high = self.layout.fixed_counts.get(symbol, 0)
            for one in self.layout.sublattices:
                if symbol in one.species:
                    bound = one.count_bounds[one.species.index(symbol)]
                    low, high = low + bound[0], high + bound[1]
            found[symbol] = (low, high)
        return found


def _without_banned_species(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a space's plain form with what is banned taken out of its sublattices."""
    data, banned = dict(value), set(value.get("banned") or ())
    sublattices = value.get("sublattices")
    if not banned or not isinstance(sublattices, Mapping):
        return data
    data["sublattices"] = {}
    for name, one in sublattices.items():
        if not isinstance(one, Mapping):
            return dict(value)  # said by the field's own validation
        elements = [each for each in one.get("elements", ()) if each not in banned]
        if not elements:
            raise ValueError(f"everything on sublattice {name} is banned; loosen banned")
        bounds = {k: each for k, each in one.get("fractions", {}).items() if k not in banned}
        data["sublattices"][name] = {**one, "elements": elements, "fractions": bounds}
    return data


def _elements_of(
    parents: list[ParentOptions], sublattices: Mapping[str, SublatticeOptions]
) -> list[SpeciesName]:
    """Return the elements on sublattices, and of a parent crystal's other sites, each once."""
    named = [each for one in sublattices.values() for each in one.elements if each != VACANCY]
    taken = {site for name, one in sublattices.items() for site in one.sites or (name,)}
    for parent in parents:
        if parent.crystal is not None:
            pairs = zip(parent.crystal.elements, parent.crystal.labels, strict=True)
            named += [element for element, label in pairs if not {element, label} & taken]
    return list(dict.fromkeys(named))
