"""What a server is told to do wrong: the file faults.json in its install, see ``Fault``."""
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, Optional

FOREVER = 3600.  # [seconds]


class Fault(NamedTuple):
    """
    One thing that goes wrong.

    kind: at the start 'no_start', 'slow_start', 'not_ready', 'never_ready', 'deaf' (SIGTERM is ignored);
    with a request 'hang', 'crash', 'exit', 'hang_up', 'error', 'garbage', 'wrong_answer', 'refuse';
    in what is shown 'ended' (the game is over), 'late_units', 'missing_unit', 'extra_unit', 'other_type'.
    """
    kind: str
    start: Optional[int] = None  # in which of the processes, as they were started, from 0; None in each
    request: str = 'step'  # before which request it answers
    at: int = 0  # in which of these requests, from 0; with what is shown: from which on
    value: float = 0.  # [seconds], attempts to connect, or [game loops]


class Faults:
    """The faults of one process."""

    def __init__(self, root: Path) -> None:
        self.start = _count_start(root / 'starts')
        path = root / 'faults.json'
        plan: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self.respawn_at_once = bool(plan.get('respawn_at_once'))
        faults = [Fault(**fault) for fault in plan.get('faults', [])]
        self._faults = [fault for fault in faults if fault.start in (None, self.start)]
        self._n_requests: dict[str, int] = {}

    def at_start(self) -> int:
        """Go wrong at the start; return how many attempts to connect are answered by 'not ready'."""
        for fault in self._faults:
            if fault.kind == 'no_start':
                print('cannot open the data of the game', file=sys.stderr)
                sys.exit(1)
            elif fault.kind == 'slow_start':
                time.sleep(fault.value)
            elif fault.kind == 'deaf':
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            elif fault.kind in ('not_ready', 'never_ready'):
                return int(fault.value) if fault.kind == 'not_ready' else sys.maxsize
        return 0

    def at_request(self, name: str) -> Optional[Fault]:
        """Count a request; return what is to go wrong with its answer, unless it went wrong here."""
        n = self._n_requests[name] = self._n_requests.get(name, -1) + 1
        for fault in self._faults:
            if (fault.request, fault.at) == (name, n):
                if fault.kind == 'hang':
                    time.sleep(FOREVER)
                elif fault.kind == 'crash':
                    os.kill(os.getpid(), signal.SIGSEGV)
                elif fault.kind == 'exit':
                    sys.exit(0)
                return fault
        return None

    def shown(self, kind: str) -> Optional[Fault]:
        """Return a fault in what is shown, if it is due."""
        n = self._n_requests.get('step', -1)
        return next((f for f in self._faults if f.kind == kind and n >= f.at), None)


def _count_start(folder: Path) -> int:
    """Return how many processes were started before this one; each leaves a file with its process id."""
    folder.mkdir(exist_ok=True)
    for n in range(sys.maxsize):
        try:
            with open(folder / str(n), 'x') as file:
                file.write(str(os.getpid()))
            return n
        except FileExistsError:
            continue
    raise AssertionError
