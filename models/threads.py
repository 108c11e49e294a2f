"""One thread for small matrices."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def single_thread() -> Iterator[None]:
    """Run the block on one thread of torch: on matrices this small, threads mostly wait for each
    other, and on a busy machine far longer than they compute. It also fixes the order of every
    sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
