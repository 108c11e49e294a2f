"""Labels that a campaign did not measure but was given: known before, or by somebody else."""

from typing import Literal

from pydantic import Field, FiniteFloat

from alloop.loop.record.records import ArtifactId, Record

MOST_LABELS = 1000
"""Most labels of one event: some hundred kilobytes of a ledger's text."""


class BroughtLabel(Record):
    """What is known of one material; without a value it is an unlabelled one."""

    candidate: ArtifactId
    """Id of the material, which the run's store holds."""
    formula: str
    lattice: str | None = None
    properties: dict[str, FiniteFloat]
    """Values in the campaign's units, by property; what is not known is absent."""
    source: str = ""
    """Source of this label, where its file names one: a paper, a data base's key."""
    use: Literal["space", "learning", "kept"] = "space"
    """Use that the campaign can make of it: ``space`` for a material of its space; ``learning`` for
    one outside that its surrogates can still describe; ``kept`` for one that they cannot."""
    outside: str = ""
    """Reason for which the space does not hold it; empty where it does."""


class LabelsBrought(Record):
    """Event: labels and unlabelled materials were brought, at no cost."""

    kind: Literal["labels_brought"] = "labels_brought"
    labels: tuple[BroughtLabel, ...] = Field(max_length=MOST_LABELS)
    value_of: int | None
    """Tier whose values they are, by a person's word or an equal fingerprint; None for those of
    another fidelity."""
    fingerprint: str = ""
    """Fingerprint of the oracle that measured them; empty where nobody recorded one."""
    source: str
    """Source for people: a file's name, a run's folder, or what was typed."""
    checksum: str = ""
    """SHA-256 of the file, or the head of the run; empty for what was given from Python."""
    who: str = ""
    """Person who brought them; empty for those of the campaign's spec."""
    why: str = ""
