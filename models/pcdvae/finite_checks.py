"""Checks for losses and gradients that are not finite, naming the module they come from."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from alloop.errors import ModelError


class TrainingDiverged(ModelError):
    """Raised when training meets a number that is not finite; nothing after that step would mean
    anything."""


def require_finite_terms(
    terms: Mapping[str, Tensor], network: nn.Module, again: Callable[[], object], *, where: str
) -> None:
    """Refuse losses that are not finite.

    Args:
        terms: of the loss.
        network: that computed them.
        again: computes them again, with the same random numbers.
        where: epoch and step.

    Raises:
        TrainingDiverged: naming the terms, and the first module whose output was not finite.
    """
    bad = [name for name, term in terms.items() if not bool(torch.isfinite(term))]
    if not bad:
        return
    source = first_non_finite_module(network, again)
    culprit = f"; the first output that is not finite is that of {source}" if source else ""
    raise TrainingDiverged(
        f"the loss of {', '.join(bad)} is not finite{culprit}",
        where=where,
        remedy="Lower learning_rate or clip, or lengthen warm_up; a checkpoint from before the "
        "step is sound.",
    )


def require_finite_gradient(network: nn.Module, norm: Tensor, *, where: str) -> None:
    """Refuse a gradient that is not finite.

    Raises:
        TrainingDiverged: naming the first weight whose gradient is not finite.
    """
    if bool(torch.isfinite(norm)):
        return
    culprit = next(
        (
            name
            for name, weight in network.named_parameters()
            if weight.grad is not None and not bool(torch.isfinite(weight.grad).all())
        ),
        "no single weight, only of their norm",
    )
    raise TrainingDiverged(
        f"the gradient is not finite: {culprit}",
        where=where,
        remedy="Lower learning_rate or clip, or lengthen warm_up; a checkpoint from before the "
        "step is sound.",
    )


def first_non_finite_module(network: nn.Module, run: Callable[[], object]) -> str | None:
    """Return the name of the first module whose output is not finite while ``run`` runs.

    Modules within modules come first, so the name is as exact as it can be.
    """
    found: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, object, object], None]:
        def look(_module: nn.Module, _inputs: object, output: object) -> None:
            if not found and not _is_finite(output):
                found.append(name)

        return look

    with ExitStack() as stack, torch.no_grad():
        for name, module in network.named_modules():
            stack.enter_context(module.register_forward_hook(watch(name or "the network")))
        run()
    return found[0] if found else None


def _is_finite(output: object) -> bool:
    if isinstance(output, Tensor):
        return not output.is_floating_point() or bool(torch.isfinite(output).all())
    if isinstance(output, tuple):
        return all(_is_finite(part) for part in output)
    return True
