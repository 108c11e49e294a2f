"""Models that begin with weights trained on other data: lattice, DVAE and P-CDVAE."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import ModelError
from alloop.loop.pretraining import pretrain
from alloop.models.lattice.parent import ParentLattice
from alloop.models.options import StartsFromCheckpoint
from tests.loop.alloys import SMALL_DVAE

DECORATIONS: dict[str, Any] = {
    "name": "orderings",
    "space": {"elements": ["Ni", "Fe"], "lattices": ["fcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}
COMPOSITIONS: dict[str, Any] = {
    "name": "alloys",
    "space": {"kind": "compositions", "elements": ["Co", "Fe", "Ni"]},
    "objectives": [{"property": "single_phase_probability", "goal": "maximise"}],
    "tiers": [{"kind": "person", "properties": ["single_phase_probability"]}],
}
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, int]]] = {
    "lattice": (DECORATIONS, {"width": 8, "epochs": 2, "unlabelled": 32}, {"width": 12}),
    "pcdvae": (
        DECORATIONS,
        {
            "phase": False,
            "latent": 8,
            "encoder_width": 16,
            "encoder_blocks": 1,
            "decoder_width": 16,
            "decoder_blocks": 1,
            "head_width": 16,
            "neighbours": 12,
            "epochs": 1,
            "refit_epochs": 1,
            "device": "cpu",
        },
        {"latent": 12},
    ),
    "dvae": (
        COMPOSITIONS,
        {key: value for key, value in SMALL_DVAE.items() if key != "kind"},
        {"latents": 3},
    ),
}


def campaign(kind: str, **changes: Any) -> CampaignSpec:
    base, options, _ = MODELS[kind]
    return parse_spec(base | {"model": {"kind": kind, **options, **changes}}, where=kind)


def write_table(kind: str, path: Path) -> Path:
    """Write twelve materials with a label, and one that the model has no room for."""
    rng = np.random.default_rng(0)
    if MODELS[kind][0] is COMPOSITIONS:
        rows = ["formula,value"]
        for _ in range(12):
            parts = rng.integers(1, 10, size=3).tolist()
            rows.append(f"Co{parts[0]}Fe{parts[1]}Ni{parts[2]},{int(2 * parts[0] > sum(parts))}")
        rows.append("CoCu,1")
    else:
        parent, rows = ParentLattice.of_size("fcc", 16), ["cif,value"]
        for place in range(13):
            elements = ["Ni", "Fe"] if place < 12 else ["Ni", "Al"]
            structure = parent.structure(rng.choice(elements, size=16).tolist())
            rows.append(f'"{structure.to(fmt="cif")}",{180 + place}')
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("kind", MODELS)
def test_a_campaigns_model_begins_with_the_weights_that_were_trained_beforehand(
    kind: str, tmp_path: Path
) -> None:
    spec = campaign(kind)
    (name,) = spec.property_names()
    path = tmp_path / "trained.safetensors"
    made = pretrain(spec, write_table(kind, tmp_path / "t.csv"), {name: "value"}, path, seed=1)
    assert (made.n_materials, len(made.skipped)) == (12, 1)
    assert made.summary.n_labelled == 12
    begun = campaign(kind, start_from=str(path)).model
    assert isinstance(begun, StartsFromCheckpoint)
    model = begun.start(path, spec.space, spec.property_names())
    table = begun.read_table(tmp_path / "t.csv", {name: "value"}, spec.space)[0]  # type: ignore[attr-defined]
    trained = spec.model.load(path)
    assert torch.equal(model.encode(table.materials), trained.encode(table.materials))
    refit = model.fit(table, seed=2)
    assert refit.epochs == begun.refit_epochs  # type: ignore[attr-defined]
    assert not torch.equal(model.encode(table.materials), trained.encode(table.materials))


@pytest.mark.parametrize("kind", MODELS)
def test_weights_of_another_size_are_refused_by_key(kind: str, tmp_path: Path) -> None:
    spec = campaign(kind)
    (name,) = spec.property_names()
    path = tmp_path / "trained.safetensors"
    pretrain(spec, write_table(kind, tmp_path / "t.csv"), {name: "value"}, path, seed=1)
    ((key, value),) = MODELS[kind][2].items()
    other = campaign(kind, **{key: value}, start_from=str(path)).model
    assert isinstance(other, StartsFromCheckpoint)
    with pytest.raises(ModelError, match=rf"model\.{key} \d+, the campaign's model is of {value}"):
        other.start(path, spec.space, spec.property_names())
