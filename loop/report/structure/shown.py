"""Structures that the page can turn: the best of each kind, as they were measured."""

import re
from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Measured
from alloop.loop.report.structure.picture import legend_of
from alloop.loop.report.words import ID_DIGITS, value_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import pareto_front

MOST = 10
"""Most structures that a page carries."""
MOST_SITES = 2000
"""Most sites of one: a crystal that a file from elsewhere made huge would fill the page."""
DECIMALS = 5


@dataclass(frozen=True)
class ShownStructure:
    """A candidate's structure with the words that it is chosen by."""

    candidate: str
    name: str
    """Formula and lattice."""
    values: str
    structure: Structure

    def island(self, elements: tuple[str, ...]) -> dict[str, Any]:
        """Return it as plain JSON values: lattice vectors as rows, Å, and fractional coordinates.

        Args:
            elements: of the campaign, in the order of their colours.
        """
        return {
            "candidate": self.candidate,
            "name": self.name,
            "values": self.values,
            "lattice": [[round(x, DECIMALS) for x in row] for row in self.structure.lattice.matrix],
            "species": [site.specie.symbol for site in self.structure],
            "places": [[round(float(x), DECIMALS) for x in f] for f in self.structure.frac_coords],
            "legend": legend_of(self.structure, elements),
            "cif": cif_of(self.structure),
            "file": cif_name(self.name, self.candidate),
        }


def cif_of(structure: Structure) -> str:
    """Return a structure as CIF, without symmetry: every site stands in it."""
    return str(CifWriter(structure))


def cif_name(name: str, candidate: str) -> str:
    """Return the name of a candidate's CIF file."""
    return f"{re.sub(r'[^A-Za-z0-9.]', '', name)}-{candidate[:ID_DIGITS]}.cif"


def shown_structures(state: CampaignState, store: ArtifactStore) -> list[ShownStructure]:
    """Return the structures of the best candidate, of the top tiers' best, and of the front or the
    next best, as the first oracle relaxed them; none where candidates have no sites.

    Raises:
        LedgerError: if an artifact that the ledger names is missing or was changed.
    """
    found = []
    for answer in _best(state):
        material = store.get_material(answer.relaxed or answer.candidate)
        if not isinstance(material, Structure) or len(material) > MOST_SITES:
            continue
        decision = state.decisions[answer.candidate]
        name = " ".join(part for part in (decision.formula, decision.lattice) if part)
        wanted = [objective.property for objective in state.spec.objectives]
        values = ", ".join(value_of(each, answer.properties[each]) for each in wanted)
        found.append(ShownStructure(answer.candidate, name, values, material))
    return found


def _best(state: CampaignState) -> list[Measured]:
    """Return the first oracle's answers about the candidates that are shown, the best first."""
    best = state.best()
    if best is None:
        return []
    rank = state.utility.rank
    by_candidate = {m.candidate: m for m in state.answers()}
    top = [state.best(tier) for tier in range(1, len(state.spec.tiers))]
    front = [m.candidate for m in pareto_front(state).members]
    ranked = sorted(by_candidate.values(), key=lambda m: rank(m.properties), reverse=True)
    ids = [
        best.candidate,
        *(m.candidate for m in top if m is not None),
        *front,
        *(m.candidate for m in ranked),
    ]
    return [by_candidate[id] for id in dict.fromkeys(ids) if id in by_candidate][:MOST]
