"""People's results, read strictly: from a CSV, or typed. Nothing is recorded here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Never

from pymatgen.core import Composition

from alloop.errors import DataError, MaterialError
from alloop.files.csv_table import CsvRow, CsvTable, composition_in, read_csv_table, value_in
from alloop.loop.people.requests.table import (
    CANDIDATE,
    FAILED,
    FORMULA,
    INFO_COLUMNS,
    INSTEAD,
    TIER,
)
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.ledger import MAX_TOGETHER
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, composition_of, formula_of, material_id
from alloop.space import Compositions

if TYPE_CHECKING:
    from alloop.loop.choose.screening import Seen

SAME = 2e-3
"""Tolerance of equal atomic fractions: formulas are printed with three digits."""


@dataclass(frozen=True)
class Result:
    """Reported result of one candidate."""

    candidate: str
    material: Material | None
    """Material of a candidate that the campaign has never proposed; None for a known one."""
    tier: int
    properties: Mapping[str, float]
    failure: str
    """Reason why there are no values; empty where there are some."""
    row: CsvRow
    instead_of: str = ""
    """Candidate that was asked for, where another material was made; else empty."""


@dataclass(frozen=True)
class Results:
    """Results of one file, or of one command."""

    results: tuple[Result, ...]
    source: str
    """SHA-256 of the file; empty for what was typed."""


class Reader:
    """Reader of result rows, matched to what a campaign has asked.

    A tier of people takes results of anything. A tier of machines takes them of what it is asked to
    measure, and does not measure it then; it counts as a tier of people where a row names it or
    the campaign has no other.

    Args:
        state: of the campaign.
        store: of its materials.
    """

    def __init__(self, state: CampaignState, store: ArtifactStore) -> None:
        self._state, self._store = state, store
        self._tiers = state.tiers_of_people

    @property
    def _is_by_machines(self) -> bool:
        return not self._tiers

    def file(self, path: Path) -> Results:
        """Return the results in a file; rows without any value are not answered yet.

        Raises:
            DataError: naming line and column of what cannot be used.
        """
        sheet = read_csv_table(path)
        elements = self._element_columns(sheet)
        if len(sheet.rows) > MAX_TOGETHER // 2:
            raise DataError(
                f"{len(sheet.rows)} rows are too many at once",
                where=str(path),
                remedy=f"Split the file; at most {MAX_TOGETHER // 2} are taken at once.",
            )
        results: list[Result] = []
        for row in sheet.rows:
            result = self._result(row, elements)
            if result is None:
                continue
            twin = next(
                (r for r in results if (r.candidate, r.tier) == (result.candidate, result.tier)),
                None,
            )
            if twin is not None:
                raise row.error(None, f"the candidate of line {twin.row.line} appears here again")
            results.append(result)
        return Results(tuple(results), sheet.checksum)

    def typed(
        self, candidate: str, values: Sequence[str], instead: Material | None = None
    ) -> Results:
        """Return the result that was typed: a candidate's id or formula, and ``property=value``
        words.

        Args:
            candidate: beginning of its id, or a formula.
            values: the words.
            instead: material that was made and measured in its place; None for itself.

        Raises:
            DataError: naming the word that cannot be used.
        """
        cells = {CANDIDATE: candidate}
        for word in values:
            name, equals, value = word.partition("=")
            known = {FAILED, TIER, INSTEAD, *self._properties()}
            if not equals or name not in known or name in cells:
                raise DataError(
                    f"{word!r} says nothing",
                    remedy=f"Write NAME=VALUE; the names are {', '.join(sorted(known))}.",
                )
            cells[name] = value.strip()
        if not self._is_known(candidate):
            cells |= {CANDIDATE: "", FORMULA: candidate}
        row = CsvRow(Path("command line"), 1, cells)
        result = self._result(row, (), instead)
        if result is None:
            raise DataError("no value was given", remedy="Write NAME=VALUE.")
        return Results((result,), "")

    def _properties(self) -> set[str]:
        return {name for options in self._state.spec.tiers for name in options.measures()}

    def _element_columns(self, sheet: CsvTable) -> tuple[str, ...]:
        known = {CANDIDATE, FORMULA, FAILED, TIER, INSTEAD, *INFO_COLUMNS, *self._properties()}
        elements = sheet.element_columns(known)
        sheet.refuse_others(
            {*known, *elements},
            f"There may be {', '.join(sorted(known))}, and elements with their fractions.",
        )
        if CANDIDATE not in sheet.columns and FORMULA not in sheet.columns and not elements:
            sheet.require(CANDIDATE)
        if not {FAILED, *self._properties()} & set(sheet.columns):
            raise DataError(
                f"there is none of the columns {', '.join(sorted(self._properties()))}",
                where=str(sheet.path),
            )
        return elements

    def _result(
        self, row: CsvRow, elements: Sequence[str], instead: Material | None = None
    ) -> Result | None:
        tier = self._tier(row)
        options = self._state.spec.tiers[tier]
        for name in self._properties() - set(options.measures()):
            if row.cells.get(name):
                raise row.error(name, f"tier {tier} is not asked for {name}")
        found = {
            name: value_in(row, name, name) for name in options.measures() if name in row.cells
        }
        values = {name: value for name, value in found.items() if value is not None}
        failure = row.cells.get(FAILED, "")
        if values and failure:
            raise row.error(FAILED, "a failed measurement has no values; empty one or the other")
        if not values and not failure:
            return None
        candidate, material = self._candidate(row, elements)
        asked = ""
        if instead is not None or row.cells.get(INSTEAD):
            asked = candidate
            candidate, material = self._made_instead(row, instead)
        if tier not in self._tiers:
            self._require_asked(row, candidate, tier, values, failure)
        return Result(candidate, material, tier, values, failure, row, asked)

    def _tier(self, row: CsvRow) -> int:
        text = row.cells.get(TIER, "")
        if not text and len(self._tiers) == 1:
            return self._tiers[0]
        if not text and self._is_by_machines:
            return self._asked_tier(row)
        if text not in map(str, range(len(self._state.spec.tiers))):
            people = ", ".join(map(str, self._tiers)) or "none"
            raise row.error(TIER, f"tier {text!r} is not measured by people; {people} is")
        return int(text)

    def _asked_tier(self, row: CsvRow) -> int:
        """Return the highest tier that is asked for a row's candidate, of machines alone."""
        prefix = row.cells.get(CANDIDATE, "")
        tiers = [
            e.tier for e in self._state.evaluations if prefix and e.candidate.startswith(prefix)
        ]
        return max(tiers) if tiers else self._refuse(row)

    def _require_asked(
        self, row: CsvRow, candidate: str, tier: int, values: Mapping[str, float], failure: str
    ) -> None:
        """Refuse what a tier of machines is not asked for, and a part of what it is."""
        if not any((e.candidate, e.tier) == (candidate, tier) for e in self._state.evaluations):
            self._refuse(row)
        required = self._state.spec.required_properties(tier)
        if missing := [name for name in required if name not in values and not failure]:
            raise row.error(
                None,
                f"tier {tier} would measure {', '.join(missing)} too",
                "Give all its values, and it does not measure the candidate.",
            )

    def _refuse(self, row: CsvRow) -> Never:
        kinds = ", ".join(options.kind for options in self._state.spec.tiers)
        raise row.error(
            CANDIDATE,
            f"no tier of this campaign is measured by people (its tiers: {kinds}), and no such "
            "candidate waits for or has a measurement by this tier",
            "Labels of anything else are brought by `start: {labels: …}` or `Campaign.add_labels`.",
        )

    def _made_instead(self, row: CsvRow, given: Material | None) -> tuple[str, Material | None]:
        """Return the candidate that was made in the place of another, and its material where the
        campaign has never proposed it."""
        # Most labels are of what was asked for, and need neither: torch and SciPy come with them.
        from alloop.loop.choose.own.assessment import unlike_space  # noqa: PLC0415
        from alloop.loop.choose.screening import has_allowed_elements  # noqa: PLC0415

        material = self._instead(row) if given is None else given
        space = self._state.spec.space
        rejection = unlike_space(material, space) or has_allowed_elements(material, space)
        if rejection is not None:
            raise row.error(
                INSTEAD,
                f"{formula_of(material)} cannot be a candidate of this campaign: "
                f"{rejection.reason}",
            )
        if isinstance(material, Composition):
            known = next(self._like(material), None)
        else:
            known = self._seen.equivalent(material)
        if known is not None and known in self._state.decisions:
            return known, None
        return material_id(material), material

    def _instead(self, row: CsvRow) -> Material:
        """Return the material that a cell names: a formula, or a file beside the sheet."""
        text = row.cells[INSTEAD]
        if isinstance(self._state.spec.space, Compositions):
            return composition_in(row, INSTEAD, ())
        is_sheet = row.path.suffix != ""
        if is_sheet and Path(text).name != text:
            raise row.error(INSTEAD, f"{text!r} is not the name of a file beside the sheet")
        path = row.path.parent / text if is_sheet else Path(text)
        from alloop.files.structure_files import read_structure  # noqa: PLC0415 (SciPy)

        try:
            return read_structure(path).structure
        except MaterialError as error:
            raise row.error(INSTEAD, str(error)) from error

    @cached_property
    def _seen(self) -> "Seen":
        from alloop.loop.choose.screening import Seen  # noqa: PLC0415 (SciPy)

        seen = Seen()
        seen.follow(self._state, self._store)
        return seen

    def _is_known(self, prefix: str) -> bool:
        return any(id.startswith(prefix) for id in self._state.decisions)

    def _candidate(self, row: CsvRow, elements: Sequence[str]) -> tuple[str, Composition | None]:
        if prefix := row.cells.get(CANDIDATE, ""):
            return self._named(row, prefix), None
        composition = self._composition(row, elements)
        same = list(self._like(composition))
        if len(same) > 1:
            raise row.error(
                FORMULA,
                f"{formula_of(composition)} is that of {len(same)} candidates",
                f"Name one: {', '.join(id[:12] for id in same[:4])}.",
            )
        if same:
            return same[0], None
        if not isinstance(self._state.spec.space, Compositions):
            raise row.error(
                FORMULA,
                f"{formula_of(composition)} was never proposed, and in this campaign a material "
                "is more than its composition",
            )
        return material_id(composition), composition

    def _named(self, row: CsvRow, prefix: str) -> str:
        matches = [id for id in self._state.decisions if id.startswith(prefix)]
        if len(matches) != 1:
            problem = "no candidate" if not matches else f"{len(matches)} candidates"
            raise row.error(
                CANDIDATE,
                f"{problem} with an id that begins with {prefix!r}",
                "requests.csv has the ids; a material that was not asked for goes by its formula.",
            )
        (id,) = matches
        formula = row.cells.get(FORMULA, "")
        if formula and formula != self._state.decisions[id].formula:
            said = composition_in(row, FORMULA, ())
            if not _alike(said, self._compositions[id]):
                raise row.error(
                    FORMULA,
                    f"{formula} is not the formula of {prefix}, "
                    f"{self._state.decisions[id].formula}",
                    "Has a column been sorted without the others? What was made in its place goes "
                    f"into a column {INSTEAD!r}.",
                )
        return id

    def _composition(self, row: CsvRow, elements: Sequence[str]) -> Composition:
        formula = FORMULA if row.cells.get(FORMULA) else None
        if formula is None and not elements:
            raise row.error(CANDIDATE, "there is neither a candidate nor a formula")
        composition = composition_in(row, formula, elements)
        allowed = self._state.spec.space.elements
        if stray := sorted({el.symbol for el in composition.elements} - set(allowed)):
            what = f"{formula_of(composition)} contains {', '.join(stray)}"
            raise row.error(formula, what, f"The space has {', '.join(allowed)}.")
        return composition

    def _like(self, composition: Composition) -> Iterator[str]:
        for id, known in self._compositions.items():
            if _alike(known, composition):
                yield id

    @cached_property
    def _compositions(self) -> Mapping[str, Composition]:
        """Composition of every candidate that was chosen, by id."""
        return {id: composition_of(self._store.get_material(id)) for id in self._state.decisions}


def _alike(one: Composition, other: Composition) -> bool:
    elements = {*one.elements, *other.elements}
    return all(abs(one[element] - other[element]) <= SAME for element in elements)
