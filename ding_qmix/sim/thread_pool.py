"""Threads that share the envs of one batch."""
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Optional


class ThreadPool:
    """
    Overview:
        Runs a function that releases the GIL on shares of 0..n - 1, one share per thread, the calling one included.

        Not numba's own threads: those cannot be used from two threads at once nor after a fork, and take 20 s to
        compile. These are started at the first call, and anew in a process that was forked since.
    """

    def __init__(self, n_threads: int, n: int) -> None:
        n_shares = min(n_threads, n)
        bounds = [k * n // n_shares for k in range(n_shares + 1)]
        self._shares: list[tuple[int, int]] = list(zip(bounds, bounds[1:]))
        self._pool: Optional[ThreadPoolExecutor] = None
        self._pid = 0

    def run(self, function: Callable[[int, int], None]) -> None:
        """Call the function with the bounds of each share; return when all are done."""
        others = [self._start().submit(function, *share) for share in self._shares[1:]]
        function(*self._shares[0])
        for other in others:
            other.result()

    def close(self) -> None:
        """End the threads; they start again if there is more to run."""
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown()
        self._pool = None

    def _start(self) -> ThreadPoolExecutor:
        """Return this process's threads."""
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = ThreadPoolExecutor(len(self._shares) - 1, 'ding_qmix_sim'), os.getpid()
        return self._pool
