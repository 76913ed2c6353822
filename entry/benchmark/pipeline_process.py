"""A process for each side of ``pipeline.py``: the benchmark sends commands, the side answers with what it measured."""
import multiprocessing
import os
import tempfile
from multiprocessing.connection import Connection
from typing import Any, Callable

from pipeline_parts import SideSpec
from pipeline_side import make_side

# A fresh interpreter, which inherits neither torch nor its threads.
_CONTEXT = multiprocessing.get_context('spawn')
_LOG = 'terminal.log'  # in the side's folder: what it writes to the terminal

MakeSide = Callable[[SideSpec, bool], Any]


class SideProcess:
    """
    Overview:
        A side in a process of its own.
    Interfaces:
        ``ask``, ``close``
    """

    def __init__(self, spec: SideSpec, updates_only: bool, folder: str, make: MakeSide = make_side) -> None:
        """
        Overview:
            Start the process, which begins to build its side; the first ``ask`` waits until it is ready.
        Arguments:
            - updates_only: the side does updates at full length; otherwise it collects and trains
            - folder: for logs
            - make: builds the side, in its process
        """
        self._spec, self._folder = spec, tempfile.mkdtemp(dir=folder)
        self._connection, other_end = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=serve, args=(other_end, self._folder, make, spec, updates_only))
        threads = os.environ.pop('OMP_NUM_THREADS', None)  # the side's 'default' threads are torch's own choice
        self._process.start()
        if threads is not None:
            os.environ['OMP_NUM_THREADS'] = threads
        other_end.close()

    def ask(self, threads: str, name: str, *args: Any) -> dict[str, float]:
        """
        Overview:
            Let the side measure and return what it found; arguments as of ``run_command``.
        Raises:
            - RuntimeError: the process ended; shows the last lines that it wrote
        """
        try:
            self._connection.send((threads, name, *args))
            # Its env processes hold its end of the pipe, too, so its end alone does not always close that.
            while not self._connection.poll(1.):
                if not self._process.is_alive():
                    raise EOFError
            return self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise RuntimeError(f'side {self._spec} ended:\n{self._last_lines()}') from None

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()

    def _last_lines(self) -> str:
        """Return the end of what the process wrote, and its exit code."""
        try:
            with open(os.path.join(self._folder, _LOG), encoding='utf-8', errors='replace') as file:
                lines = file.readlines()[-20:]
        except FileNotFoundError:
            lines = []
        return f'{"".join(lines)}exit code {self._process.exitcode}'


def serve(connection: Connection, folder: str, make: MakeSide, spec: SideSpec, updates_only: bool) -> None:
    """Build a side in this process and let it measure what is asked for, until the other end is closed."""
    os.chdir(folder)
    with open(_LOG, 'wb') as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    side = make(spec, updates_only)
    while True:
        try:
            command = connection.recv()
        except EOFError:
            break
        connection.send(run_command(side, *command))
    side.close()


def run_command(side: Any, threads: str, name: str, *args: Any) -> dict[str, float]:
    """
    Overview:
        Let a side measure.
    Arguments:
        - threads: torch's, a number or 'default'
        - name, args: method of the side and its arguments
    """
    import torch
    before = torch.get_num_threads()
    if threads != 'default':
        torch.set_num_threads(int(threads))
    answer = getattr(side, name)(*args)
    torch.set_num_threads(before)
    return answer
