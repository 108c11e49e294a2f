"""The paper's own head: one network of 8-100-100-1, trained as the paper says (section 2.2.3)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.dvae.data import Alloys, split_of
from benchmarks.dvae.heads import scores

WIDTHS = (8, 100, 100, 1)
RATE = 1e-4
BETAS = (0.9, 0.999)
BATCH = 32
MOST_EPOCHS = 20_000
PLATEAU = 200
"""Epochs without a lower training loss, after which a network's rate is halved."""
PATIENCE = 1_000
"""Epochs without a higher validation accuracy, after which training ends; not the paper's, which
keeps the best of up to 20,000 epochs."""
CHECKED = 10
"""Epochs between two looks at the validation rows."""


def paper_head_figures(alloys: Alloys, seeds: Sequence[int]) -> dict[str, list[float]]:
    """Return test accuracies and AUCs, one per split, with 864 and with 247 labels.

    Each network is that of the highest accuracy on the validation rows, none of which was
    trained on (the published code trains on them). Twice: on the published descriptors as they
    are, as in the published code, and standardised.
    """
    found: dict[str, list[float]] = {}
    published = torch.from_numpy(alloys.published).float()
    labels = torch.from_numpy(alloys.labels).float()
    for few in (False, True):
        splits = [split_of(len(alloys.labels), seed, few=few) for seed in seeds]
        raw = [published for _ in splits]
        scaled = [_standardised(published, published[split.labelled]) for split in splits]
        training, validation, test = (
            _stacked([*raw, *scaled], labels, [getattr(split, part) for split in splits] * 2)
            for part in ("labelled", "validation", "test")
        )
        said = torch.sigmoid(_fitted(training, validation, test[0])).numpy()
        count = 247 if few else 864
        for i, (one, truth) in enumerate(zip(said, test[1].numpy(), strict=True)):
            suffix = "" if i < len(splits) else "_standardised"
            for name, value in scores(f"{count}_paper_own{suffix}", truth, one).items():
                found.setdefault(name, []).append(value)
    return found


def _standardised(table: Tensor, known: Tensor) -> Tensor:
    return (table - known.mean(0)) / known.std(0)


def _stacked(
    tables: Sequence[Tensor], labels: Tensor, rows: Sequence[np.ndarray]
) -> tuple[Tensor, Tensor]:
    """Return descriptors (k, n, 8) and labels (k, n) of some rows of k tables."""
    x = [table[row] for table, row in zip(tables, rows, strict=True)]
    return torch.stack(x), torch.stack([labels[row] for row in rows])


def _fitted(
    training: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], test: Tensor
) -> Tensor:
    """Train k networks side by side; return the logits (k, n) of their test rows.

    Args:
        training: descriptors (k, n, 8) and labels (k, n).
        validation: those by which each network's best epoch is chosen.
        test: descriptors, shape (k, n, 8).
    """
    torch.manual_seed(0)
    x, y = training
    weights = _initial(len(x)).requires_grad_(True)
    rates = torch.full((len(x), 1), RATE)
    optimiser = torch.optim.Adam([weights], lr=1.0, betas=BETAS)
    least, since = torch.full((len(x),), math.inf), torch.zeros(len(x))
    best, best_epoch = torch.full((len(x),), -1.0), 0
    kept = weights.detach().clone()
    for epoch in range(MOST_EPOCHS):
        total = torch.zeros(len(x))
        for rows in torch.randperm(x.shape[1]).split(BATCH):
            loss = functional.binary_cross_entropy_with_logits(
                _logits(weights, x[:, rows]), y[:, rows], reduction="none"
            ).mean(1)
            optimiser.zero_grad()
            loss.sum().backward()
            before = weights.detach().clone()
            optimiser.step()  # of a rate of 1, of which each network takes its own share
            with torch.no_grad():
                weights.copy_(before + rates * (weights - before))
            total += loss.detach() * len(rows)
        improved = total < least
        least, since = torch.minimum(total, least), torch.where(improved, 0.0, since + 1)
        rates[since >= PLATEAU] /= 2
        since[since >= PLATEAU] = 0
        if epoch % CHECKED == 0:
            with torch.no_grad():
                right = ((_logits(weights, validation[0]) >= 0) == (validation[1] == 1)).float()
            higher = right.mean(1) > best
            best = torch.maximum(best, right.mean(1))
            kept[higher] = weights.detach()[higher]
            best_epoch = epoch if higher.any() else best_epoch
            if epoch - best_epoch >= PATIENCE:
                break
    print(f"paper's own head: {epoch + 1} epochs, validation {best.tolist()}", flush=True)
    return _logits(kept, test)


def _initial(networks: int) -> Tensor:
    """Return weights and biases, (networks, p), drawn as torch draws those of a linear layer."""
    parts = []
    for inputs, outputs in pairwise(WIDTHS):
        size = (networks, (inputs + 1) * outputs)
        parts.append((2 * torch.rand(size) - 1) / math.sqrt(inputs))
    return torch.cat(parts, 1)


def _logits(weights: Tensor, x: Tensor) -> Tensor:
    """Return each network's outputs, (k, n), of its descriptors (k, n, 8)."""
    start = 0
    for layer, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        if layer:
            x = functional.softplus(x)
        end = start + inputs * outputs
        matrix = weights[:, start:end].reshape(-1, inputs, outputs)
        x = torch.baddbmm(weights[:, None, end : end + outputs], x, matrix)
        start = end + outputs
    return x[..., 0]
