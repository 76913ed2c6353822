import sys
import time
import weakref
from types import FrameType
from typing import Any, Optional

from ding_qmix.run_state import RunProgress
from ding_qmix.terminal.log_filter import ProgressFilter
from ding_qmix.terminal.status_line import LINE, StatusLine

TERMINALS = ('progress', 'log')
_UNLIMITED = 10 ** 8  # [env steps] from which on a budget is DI-engine's default for none
_SMOOTH = 0.2  # share of the newest measurement in the speed that is shown


class RunTerminal:
    """
    Overview:
        One run's terminal: DI-engine's log lines are for its files, one line shows how far the run is.
    Interfaces:
        ``begin``, ``follow``, ``close``
    """

    def __init__(self, line: StatusLine = LINE) -> None:
        """
        Arguments:
            - line: of the terminal
        """
        self._line = line
        self._filter = ProgressFilter(line)
        self._progress = RunProgress()
        self._budget: Optional[int] = None  # [env steps]
        self._speed: Optional[float] = None  # [env steps / s]
        self._start = self._last_time = time.perf_counter()  # [s]
        self._first_step = self._last_step = 0  # [env steps]

    @property
    def seconds(self) -> float:
        """Since ``begin``."""
        return time.perf_counter() - self._start

    @property
    def line(self) -> StatusLine:
        """Where it writes."""
        return self._line

    def begin(self, owner: Any, what: str) -> None:
        """
        Overview:
            Take over the terminal.
        Arguments:
            - owner: with whose end the terminal is given back
            - what: is beginning
        """
        self._filter.install()
        weakref.finalize(owner, _give_back, self._filter, self._line)
        self._line.note(what)

    def follow(self, progress: RunProgress, budget: Optional[int], env_step: int) -> None:
        """
        Overview:
            Show how far a run is, from now on.
        Arguments:
            - progress: of the run
            - budget: [env steps] after which it ends; None if nobody says
            - env_step: where it begins
        """
        self._progress, self._budget = progress, None if budget is None or budget >= _UNLIMITED else budget
        for note in progress.notes:
            self._line.note(note)
        self._first_step = self._last_step = env_step
        self._start = self._last_time = time.perf_counter()
        progress.on_collected, progress.on_evaluated = self._on_collected, self._on_evaluated

    def close(self) -> None:
        """Give the terminal back; a second call does nothing."""
        self._progress.on_collected = self._progress.on_evaluated = None
        _give_back(self._filter, self._line)

    def _on_collected(self) -> None:
        step, now = self._progress.env_step, time.perf_counter()
        speed = (step - self._last_step) / max(1e-9, now - self._last_time)
        self._speed = speed if self._speed is None else (1. - _SMOOTH) * self._speed + _SMOOTH * speed
        self._last_step, self._last_time = step, now
        if self._line.console.is_terminal:
            self._line.show(self.text())

    def _on_evaluated(self) -> None:
        """On a terminal the line changes, elsewhere each evaluation gets a line."""
        if self._line.console.is_terminal:
            self._line.show(self.text(), at_once=True)
        else:
            self._line.note(self.text())

    def text(self) -> str:
        """Return the line: how far, how fast, how good, how long still."""
        step, found = self._progress.env_step, self._progress.evaluation
        parts = [f'{step:,} env steps' if self._budget is None else f'{step / self._budget:4.0%} of {self._budget:,}']
        if self._speed is not None:
            parts.append(f'{self._speed:,.0f} steps/s')
        if found is not None:
            parts.append(
                f'test win rate {found.win_rate:.2f} [{found.low:.2f}, {found.high:.2f}] at {found.env_step:,}, best '
                f'{found.best:.2f}'
            )
        mean = (step - self._first_step) / max(1e-9, self.seconds)  # tests and saves included
        left = f', {clock((self._budget - step) / mean)} to go' if self._budget and mean > 0. else ''
        return ' | '.join([*parts, clock(self.seconds) + left])


def clock(seconds: float) -> str:
    """3725 -> '1:02:05'"""
    minutes, seconds = divmod(int(max(0., seconds)), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'


def pipeline_budget() -> Optional[int]:
    """
    Overview:
        Return the env steps after which DI-engine's serial pipeline, somewhere above in the stack, ends the run; None
        without one. The pipeline keeps the number in a local variable and tells it to nobody.
    """
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name.startswith('serial_pipeline') and 'max_env_step' in frame.f_locals:
            return frame.f_locals['max_env_step']
        frame = frame.f_back
    return None


def _give_back(filter_: ProgressFilter, line: StatusLine) -> None:
    filter_.remove()
    line.clear()
