from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """
    Overview:
        Run torch's operations on the calling thread alone. Networks here are small: threads inside an operation gain
        little, and on a machine with other work every operation waits for the one thread that was put aside.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
