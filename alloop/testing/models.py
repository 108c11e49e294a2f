"""What every model promises, checked on any implementation.

    check_model(make_model, dataset, foreign=[something_else], folder=tmp_path)

Meant for test suites: it raises AssertionError, saying which promise was broken. It trains
five times, so give it a small model and a small dataset.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from alloop.errors import MaterialError, ModelError
from alloop.materials import Material, material_id
from alloop.models.base import (
    Dataset,
    FitSummary,
    GenerativeModel,
    HasEmbedding,
    LearnsWithoutLabels,
)

MakeModel = Callable[[], GenerativeModel]
SEED = 11


def check_model(
    make_model: MakeModel, dataset: Dataset, *, foreign: Sequence[Material], folder: Path
) -> None:
    """Check the promises of ``GenerativeModel`` and, where made, of ``HasEmbedding`` and
    ``LearnsWithoutLabels``.

    Args:
        make_model: returns a new, untrained model.
        dataset: at least four materials that the model can represent, all labelled.
        foreign: materials that it cannot represent.
        folder: an empty folder to write files in.

    Raises:
        AssertionError: naming the promise that the model breaks.
    """
    assert np.isfinite(dataset.labels).all(), "check_model needs a dataset without gaps"
    data = _with_gaps(dataset)
    model = make_model()
    assert isinstance(model, GenerativeModel), "it has the methods of a GenerativeModel"
    check_fit(model, data)
    z = check_encode(model, dataset, foreign)
    check_decode(model, z)
    check_predict(model, z, dataset.property_names)
    if isinstance(model, HasEmbedding):
        check_embed(model, z)
    if isinstance(model, LearnsWithoutLabels):
        assert model.most_unlabelled(len(data)) >= 0, "a number of unlabelled materials"
    bytes_of_fit = check_files(model, make_model, z, folder)
    check_seeds(model, make_model, data, bytes_of_fit, folder)
    unlabelled = replace(dataset, labels=np.full_like(dataset.labels, np.nan))
    make_model().fit(unlabelled, seed=SEED)


def check_fit(model: GenerativeModel, data: Dataset) -> FitSummary:
    """Check that training reports truthfully and leaves global state alone."""
    shares: list[float] = []
    before = _global_state()
    summary = model.fit(data, seed=SEED, on_progress=lambda share, _: shares.append(share))
    assert _global_state() == before, "training leaves global state alone"
    n_labelled = int(np.isfinite(data.labels).any(axis=1).sum())
    assert summary.n_labelled == n_labelled, "the summary counts rows with any label"
    assert summary.n_unlabelled >= len(data) - n_labelled, "and the other rows"
    assert summary.epochs >= 1
    assert summary.seconds > 0
    assert np.isfinite(list(summary.metrics.values())).all(), f"finite: {summary.metrics}"
    assert shares, "progress is reported"
    assert shares == sorted(shares), "progress goes forward"
    assert shares[0] >= 0, "progress begins at 0 or above"
    assert shares[-1] == 1, "progress ends at 1"
    return summary


def check_encode(model: GenerativeModel, dataset: Dataset, foreign: Sequence[Material]) -> Tensor:
    """Check latent points of the dataset's materials, and return them."""
    materials = dataset.materials
    z = model.encode(materials)
    assert z.ndim == 2, "latent points have the shape (n, d)"
    assert len(z) == len(materials), "one latent point per material"
    assert z.isfinite().all(), "latent points are finite"
    assert not z.requires_grad, "latent points carry no gradient"
    backwards = model.encode(materials[::-1]).flip(0)
    torch.testing.assert_close(backwards, z, msg="a latent point does not depend on its company")
    for material in foreign:
        try:
            model.encode([material])
        except MaterialError:
            continue
        raise AssertionError(f"it should refuse {material} with MaterialError")
    return z


def check_decode(model: GenerativeModel, z: Tensor) -> None:
    """Check that decoding follows its seed and gives materials that the model knows."""
    points, before = z.clone(), _global_state()
    decoded = model.decode(z, seed=SEED)
    assert _global_state() == before, "decoding leaves global state alone"
    assert torch.equal(z, points), "decoding leaves the latent points alone"
    assert len(decoded) == len(z), "one material per row"
    again = model.decode(z, seed=SEED)
    assert _ids(again) == _ids(decoded), "the same points and seed give the same materials"
    assert model.encode(decoded).shape == z.shape, "what it decodes it can encode"


def check_predict(model: GenerativeModel, z: Tensor, property_names: tuple[str, ...]) -> None:
    """Check predictions' names, shapes and signs."""
    prediction = model.predict(z)
    assert prediction.property_names == property_names, "one column per property, in order"
    for values in (prediction.mean, prediction.std):
        assert values.shape == (len(z), len(property_names)), "predictions have the shape (n, p)"
        assert values.isfinite().all(), "predictions are finite"
    assert (prediction.std > 0).all(), "a standard deviation is positive"


def check_embed(model: HasEmbedding, z: Tensor) -> None:
    """Check that embeddings keep batch shapes and precision, and have gradients."""
    points = z.double().requires_grad_()
    embedding = model.embed(points)
    assert embedding.dtype == torch.float64, "an embedding has the precision of its points"
    assert embedding.shape[:-1] == z.shape[:-1], "one embedding per point"
    batched = model.embed(points[:, None, None])
    assert torch.allclose(batched[:, 0, 0], embedding), "batch dimensions go through"
    (gradient,) = torch.autograd.grad(embedding.sum(), points)
    assert gradient.isfinite().all(), "gradients are finite"
    assert gradient.abs().sum() > 0, "an embedding changes with its point"


def check_files(model: GenerativeModel, make_model: MakeModel, z: Tensor, folder: Path) -> bytes:
    """Check that a saved model comes back the same, and that other files are refused."""
    content = _saved(model, folder / "model")
    loaded = type(model).load(folder / "model")
    assert _saved(loaded, folder / "copy") == content, "saving what was loaded gives equal bytes"
    assert _ids(loaded.decode(z, seed=SEED)) == _ids(model.decode(z, seed=SEED))
    assert torch.equal(loaded.predict(z).mean, model.predict(z).mean), "a copy predicts the same"
    assert torch.equal(loaded.predict(z).std, model.predict(z).std)
    trap = folder / "sprung"
    others = {
        "empty": b"",
        "noise": bytes(range(256)) * 8,
        "text": b'{"kind": "lattice"}',
        "cut": content[: len(content) // 2],
        "nameless": save({"weight": torch.ones(2)}),
        "pickle": pickle.dumps(_Trap(trap)),
    }
    for name, wrong in others.items():
        path = folder / name
        path.write_bytes(wrong)
        _refused(type(make_model()), path)
    _refused(type(make_model()), folder / "absent")
    assert not trap.exists(), "reading a file executes nothing in it"
    return content


def check_seeds(
    model: GenerativeModel, make_model: MakeModel, data: Dataset, content: bytes, folder: Path
) -> None:
    """Check that the seed decides training, from scratch and from earlier weights."""
    twin = make_model()
    twin.fit(data, seed=SEED)
    assert _saved(twin, folder / "twin") == content, "the same data and seed give the same model"
    loaded = type(model).load(folder / "model")
    model.fit(data, seed=SEED + 1)
    loaded.fit(data, seed=SEED + 1)
    refitted = _saved(model, folder / "refitted")
    assert refitted != content, "training goes on"
    assert _saved(loaded, folder / "loaded") == refitted, (
        "training goes on from a file as it does from memory"
    )
    check_predict(model, model.encode(data.materials), data.property_names)


class _Trap:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def _refused(kind: type[GenerativeModel], path: Path) -> None:
    try:
        kind.load(path)
    except ModelError:
        return
    raise AssertionError(f"loading the file {path.name!r} should raise ModelError")


def _with_gaps(dataset: Dataset) -> Dataset:
    """Return the dataset with its first row unlabelled."""
    labels = dataset.labels.copy()
    labels[0] = np.nan
    return replace(dataset, labels=labels)


def _saved(model: GenerativeModel, path: Path) -> bytes:
    model.save(path)
    return path.read_bytes()


def _ids(materials: Sequence[Material]) -> list[str]:
    return [material_id(material) for material in materials]


def _global_state() -> tuple[bytes, bytes, torch.dtype, bool, int]:
    legacy = np.random.get_state(legacy=True)
    return (
        torch.get_rng_state().numpy().tobytes(),
        repr(legacy).encode(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
    )
