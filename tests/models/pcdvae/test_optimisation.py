from collections.abc import Callable

import numpy as np
import torch
from pymatgen.core import Structure

from alloop.models.base import Dataset
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.optimisation import LEARNING_RATE, optimise
from alloop.models.pcdvae.options import PcdvaeOptions

OPTIONS = PcdvaeOptions(
    latent=8,
    encoder_width=8,
    encoder_blocks=1,
    decoder_width=8,
    decoder_blocks=1,
    head_width=16,
    neighbours=12,
    epochs=1,
    device="cpu",
)


def test_the_property_head_is_climbed_or_descended(decorated: Callable[..., Structure]) -> None:
    materials = tuple(decorated(["fcc", "bcc"][i % 2], seed=i) for i in range(4))
    labels = np.linspace(150, 200, 4)[:, None]
    data = Dataset(materials, ("bulk_modulus",), labels, np.zeros(4, dtype=bool))
    model = PcdvaeModel(OPTIONS, ("Cr", "Fe", "Ni"), (16,), ("fcc", "bcc"), {}, ("bulk_modulus",))
    model.fit(data, seed=0)
    weights = [weight.detach().clone() for weight in model.network.parameters()]
    z = model.encode(materials)
    up = optimise(model.network, z, 0, maximise=True, steps=(5, 20))
    down = optimise(model.network, z, 0, maximise=False, steps=(20,))
    at = {n: model.predict(points).mean for n, points in up.items()}
    start = model.predict(z).mean
    assert list(up) == [5, 20]
    assert (at[5] > start).all()
    assert (at[20] > at[5]).all()
    assert (model.predict(down[20]).mean < start).all()
    # Adam's first steps are of the size of its rate, whatever the gradient's.
    assert float((up[5] - z).abs().max()) <= 5 * LEARNING_RATE * (1 + 1e-3)
    assert all(torch.equal(*pair) for pair in zip(weights, model.network.parameters(), strict=True))
