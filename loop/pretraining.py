"""A campaign's model trained on a table beforehand, for campaigns to start from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from alloop.campaigns.parts import model_faults_named
from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.durable import make_folder, write_durably
from alloop.errors import SpecError
from alloop.models.base import Dataset, FitSummary, OnProgress, SkippedRow
from alloop.models.options import TrainsOnTables


@dataclass(frozen=True)
class Pretrained:
    """Result of a training on a table."""

    checkpoint: str
    """SHA-256 of the file; the first event of a campaign that starts from it holds it."""
    n_materials: int
    skipped: tuple[SkippedRow, ...]
    """Rows that the model has no room for, with the reasons."""
    summary: FitSummary


def pretrain(
    spec: CampaignSpec,
    table: Path,
    columns: Mapping[str, str],
    out: Path,
    *,
    seed: int,
    on_progress: OnProgress | None = None,
) -> Pretrained:
    """Train the campaign's model on a table and write its checkpoint.

    Args:
        spec: says the model, its properties and its space. What of the table has no room in the
            model is skipped; FTCP alone has room for other elements than the space's.
        table: CSV in CDVAE's format or, for compositions, with a column of formulas.
        columns: of the campaign's properties; those left out are learnt in the campaign.
        out: the checkpoint; written over.
        seed: of the training.
        on_progress: told how far the training is.

    Raises:
        SpecError: if the campaign's model cannot be trained on a table, or it has no such
            property.
        MaterialError: if the table cannot be used, naming file, row and column.
    """
    options, space, names = spec.model, spec.space, spec.property_names()
    if not isinstance(options, TrainsOnTables):
        raise SpecError(
            f"a model of kind {options.kind} cannot be trained beforehand",
            where="model.kind",
            remedy="Take a campaign whose model can: lattice, dvae, pcdvae or ftcp.",
        )
    if stray := sorted(columns.keys() - set(names)):
        raise SpecError(
            f"the campaign does not speak of {stray[0]}, only of {', '.join(names)}",
            remedy="Give columns of these.",
        )
    read, skipped = options.read_table(table, columns, space)
    data = _with_all(read, names)
    with model_faults_named(options):
        model = options.build_for(data, space, names)
        summary = model.fit(data, seed=seed, on_progress=on_progress)
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / out.name)
        content = (Path(folder) / out.name).read_bytes()
    make_folder(out.absolute().parent)
    write_durably(out.absolute(), content)
    return Pretrained(sha256(content), len(data), skipped, summary)


def _with_all(data: Dataset, names: tuple[str, ...]) -> Dataset:
    """Return the data with a column per property, NaN where the table has none."""
    labels = np.full((len(data), len(names)), np.nan)
    for column, name in enumerate(data.property_names):
        labels[:, names.index(name)] = data.labels[:, column]
    return replace(data, property_names=names, labels=labels)
