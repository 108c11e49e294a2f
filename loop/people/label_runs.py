"""Labels read from another campaign's run: its verified ledger and artifacts, and nothing else.

Nothing of the run is executed or written to: no oracle is built and no checkpoint is read.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from alloop.campaigns.spec import CampaignSpec
from alloop.campaigns.start import LabelSource
from alloop.errors import DataError
from alloop.loop.people.known_labels import KnownLabel, KnownLabels, Reading, require_few
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Status


def is_run(path: Path) -> bool:
    """Return whether a path is a run's folder."""
    return (path / LEDGER).is_file()


def read_labels_of_run(
    source: LabelSource, spec: CampaignSpec, fingerprints: Sequence[str]
) -> tuple[KnownLabels, ...]:
    """Return what a run has measured, by the fingerprints of its tiers.

    A tier's label with the fingerprint of one of the campaign's tiers is that tier's value; any
    other is of another fidelity, unless the source says whose it is. Failed measurements, partial
    ones and those in doubt are left out.

    Args:
        source: names the run.
        spec: of the campaign that they are for.
        fingerprints: of its tiers; empty while their oracles are not built.

    Raises:
        RunError, LedgerError: if the run cannot be read, or something in it was changed.
        DataError: if its units cannot be converted.
    """
    folder, where = RunFolder.read(source.file), str(source.file)
    state, store = folder.state, folder.store
    units, theirs = spec.units(), state.spec.units()
    readings: dict[str, Reading] = {}
    found: dict[int, list[KnownLabel]] = defaultdict(list)
    for m in state.recorded.values():
        if m.status is not Status.OK or not state.is_reliable(m):
            continue
        values = {}
        for name, value in m.properties.items():
            if name not in units or name in m.doubts:
                continue
            if name not in readings:
                readings[name] = Reading.of(name, name, theirs[name], units[name], where=where)
            values[name] = readings[name].value(value, where)
        if values:
            place = f"{where}: candidate {m.candidate[:12]}"
            label = KnownLabel(store.get_material(m.candidate), values, "", place)
            found[m.tier].append(label)
    if not found:
        raise DataError(
            "the run has measured nothing that this campaign could use",
            where=where,
            remedy="Leave it out; its properties must be known to this campaign.",
        )
    require_few(sum(map(len, found.values())), where)
    return tuple(
        KnownLabels(
            labels=tuple(labels),
            value_of=_tier(source, state.fingerprints[tier], fingerprints),
            source=f"{state.spec.name}, tier {tier} ({state.spec.tiers[tier].kind})",
            checksum=folder.head,
            fingerprint=state.fingerprints[tier],
            duplicates=source.duplicates,
        )
        for tier, labels in sorted(found.items())
    )


def _tier(source: LabelSource, fingerprint: str, own: Sequence[str]) -> int | None:
    if source.tier is not None:
        return None if source.tier == "other" else source.tier
    return list(own).index(fingerprint) if fingerprint in own else None
