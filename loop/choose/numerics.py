"""Settings of the numerical libraries for matrices of a few hundred rows."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from botorch.exceptions.warnings import BotorchWarning
from linear_operator.utils.warnings import NumericalWarning
from threadpoolctl import threadpool_limits

from alloop.models.threads import single_thread

T = TypeVar("T")
U = TypeVar("U")


def side_by_side(function: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Return what a function returns for each item, computed on all cores. It should spend its time
    in NumPy or SciPy, which let other threads go on meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(function, items))


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run the block on one thread, without the numerical warnings that are usual for such matrices.

    Threads mostly wait for each other on small matrices, most of all while workers measure on
    the same cores. A kernel matrix of nearly equal candidates needs a little jitter.
    """
    with (
        single_thread(),
        threadpool_limits(limits=1),
        torch.sparse.check_sparse_tensor_invariants(enable=False),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "A not p.d., added jitter", NumericalWarning)
        # The improvement then counts from what is least bad, with feasibility as its factor.
        warnings.filterwarnings("ignore", "When all training points are infeas", BotorchWarning)
        yield
