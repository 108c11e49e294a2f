"""Labels that were brought from another fidelity, on the first tier's scale.

Another potential, functional or laboratory. Its values are believed once the first tier has
measured, or was brought, enough of the same materials: a map through these pairs, as between two
tiers (``fidelity``), carries the others over. Before that they teach nothing but which
materials there are.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from alloop.loop.choose.fidelity import fit_fidelity_map, fraction_spreads, fractions_of
from alloop.loop.state.brought import labels_in
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS


def values_of_other_fidelities(state: CampaignState) -> dict[str, dict[str, float]]:
    """Return what labels of other fidelities say of the first tier's values, in their units, by
    candidate; nothing of those that the first tier's own values are known of.

    Where several fidelities speak of a candidate, the one with more pairs counts.
    """
    groups = _groups(state)
    if not groups:
        return {}
    own = {m.candidate: m.properties for m in state.known_answers()}
    carried: list[tuple[int, str, str, float]] = []
    for name in state.spec.property_names():
        for values in groups.values():
            said = {id: each[name] for id, each in values.items() if name in each}
            pairs = [id for id in said if id in own]
            if len(pairs) < MIN_PAIRS:
                continue
            line = fit_fidelity_map(
                [said[id] for id in pairs],
                [own[id][name] for id in pairs],
                fractions_of(state, pairs),
                spread=float(np.std(list(said.values()))) or 1.0,
                fraction_spreads=fraction_spreads(fractions_of(state, list(said))),
            )
            others = [id for id in said if id not in own]
            low = np.array([said[id] for id in others])
            means, _ = line.predict(low, fractions_of(state, others))
            found = zip(others, means.tolist(), strict=True)
            carried += [(len(pairs), id, name, mean) for id, mean in found]
    known: dict[str, dict[str, float]] = {}
    for _, id, name, mean in sorted(carried, key=lambda each: -each[0]):
        known.setdefault(id, {}).setdefault(name, mean)
    return known


def _groups(state: CampaignState) -> Mapping[str, dict[str, Mapping[str, float]]]:
    """Return labels of other fidelities: by oracle, or by source where none is known, then by
    candidate."""
    groups: dict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for event, label in labels_in(state.brought):
        if event.value_of is None and label.properties and label.use != "kept":
            group = event.fingerprint or event.source
            groups[group].setdefault(label.candidate, label.properties)
    return groups
