import atexit
import time

from ding_qmix.terminal.status_line import LINE, StatusLine

# What kernels take to compile, those they are compiled into included, in parts of the whole, measured; others take 1.
_WORK = {
    'play_envs': 30,
    '_play_env': 24,
    '_decide': 8,
    'agent_backward': 8,
    'begin_battle': 8,
    'play_step': 7,
    'play_loop': 6,
    'mixer_backward': 5,
    'agent_forward': 5,
    'gru_backward': 4,
    'gru_forward': 4,
    'linear_forward': 4,
    'find_illegal': 4,
    'sweep_beams': 3,
    'mixer_forward': 3,
    '_write_enemies': 3,
    '_act': 3
}
_USUAL = 50.  # [s] that compiling everything takes on an ordinary machine
_SHORT = 2.  # [s] below which nobody needs to be told


class CompileLine:
    """
    Overview:
        Tells how far the compilation of kernels is and how long it will take, for the minute that a first run is
        silent. A watcher of ``ding_qmix.numba_kernel``; where all kernels come from the cache, it says nothing.
    Interfaces:
        ``__call__``, ``close``
    """

    def __init__(self, line: StatusLine) -> None:
        """
        Arguments:
            - line: of the terminal, which others may use in between
        """
        self._line = line
        self._total = self._done = 0  # parts of the work
        self._n_done = self._depth = 0  # kernels compiled; kernels being compiled, one for the other
        self._seconds = 0.  # [s] spent on compiling
        self._since = 0.  # [s] when the outermost kernel was begun
        atexit.register(self.close)

    def __call__(self, event: str, name: str) -> None:
        """Hear of a kernel; see ``numba_kernel.watchers``."""
        work = _WORK.get(name, 1)
        if event == 'defined':
            self._total += work
        elif event == 'loaded':
            self._total = max(self._done, self._total - work)
        elif event == 'begun':
            if self._depth == 0:
                self._since = time.perf_counter()
            self._depth += 1
        else:
            self._end(work)
        if event in ('begun', 'ended'):
            self._show()

    def close(self) -> None:
        """Take the line away and say what was done, if anything."""
        if self._n_done and self._seconds > _SHORT:
            self._line.clear()
            self._line.note(f'compiled {self._n_done} kernels in {self._seconds:.0f} s; later runs load them')
        self._n_done, self._seconds = 0, 0.

    def _end(self, work: int) -> None:
        self._done, self._n_done, self._depth = self._done + work, self._n_done + 1, max(0, self._depth - 1)
        if self._depth == 0:
            self._seconds += time.perf_counter() - self._since
            self._line.clear()

    def _show(self) -> None:
        now = time.perf_counter() - self._since if self._depth else 0.
        spent, share = self._seconds + now, min(0.99, self._done / max(1, self._total))
        left = _USUAL * (1. - share) if self._n_done < 10 else spent * (1. - share) / max(share, 0.01)
        first = self._n_done == 0 and self._depth == 1
        self._line.show(
            f'compiling for this machine, needed once: {share:4.0%}, about {max(1., left):.0f} s to go', at_once=first
        )


COMPILE_LINE = CompileLine(LINE)  # of the process
