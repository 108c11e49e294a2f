"""Two crystals learnt by heart come back when sampled (``make bench-pcdvae`` does eight)."""

import numpy as np

from alloop.models.base import Dataset
from alloop.models.metrics.matching import match
from alloop.models.pcdvae.model import PcdvaeModel
from benchmarks.pcdvae.overfit import OPTIONS, eight_crystals

COPIES = 16
SMALLER = {
    "epochs": 150,
    "batch_size": 2 * COPIES,
    "latent": 4,
    "encoder_width": 16,
    "encoder_blocks": 1,
    "decoder_width": 24,
    "decoder_blocks": 1,
    "learning_rate": 4e-3,
    "average": 0.98,
    "langevin_steps": 2,
}


def test_crystals_learnt_by_heart_are_rebuilt() -> None:
    crystals = eight_crystals()[0], eight_crystals()[6]
    model = PcdvaeModel(OPTIONS.model_copy(update=SMALLER), ("Al", "Ni", "Ti"), (2,), (), {}, ())
    n = len(crystals) * COPIES
    model.fit(Dataset(crystals * COPIES, (), np.zeros((n, 0)), np.zeros(n, dtype=bool)), seed=0)
    decoded = model.decode(model.encode(crystals), seed=0)
    found = match(zip(crystals, decoded, strict=True))
    assert found.rate == 1
    assert found.rmse < 0.05
