import sys
import time
from typing import Optional

from rich.console import Console
from rich.live import Live
from rich.text import Text

_REFRESH = 0.2  # [s] between two looks of the line
_PLAIN = 15.  # [s] between two lines where there is no terminal


class StatusLine:
    """
    Overview:
        The last line of a terminal, rewritten in place, on standard error. Where that is a file or a pipe, a line now
        and then instead.
    Interfaces:
        ``show``, ``note``, ``clear``
    """

    def __init__(self, console: Optional[Console] = None) -> None:
        """
        Arguments:
            - console: of rich; None takes standard error as it is at each call
        """
        self._own_console = console
        self._live: Optional[Live] = None
        self._last = 0.  # [s] when the line was shown

    @property
    def console(self) -> Console:
        """Where everything goes."""
        if self._live is not None:
            return self._live.console
        return self._own_console or Console(file=sys.stderr, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether a line is shown that is rewritten in place."""
        return self._live is not None

    def show(self, text: str, at_once: bool = False) -> None:
        """
        Overview:
            Show a text as the line, unless the one before is too new.
        Arguments:
            - text: plain
            - at_once: show it in any case
        """
        console = self.console
        since = time.perf_counter() - self._last
        if not at_once and self._last and since < (_REFRESH if console.is_terminal else _PLAIN):
            return
        self._last = time.perf_counter()
        if not console.is_terminal:
            console.print(text, markup=False)
            return
        if self._live is None:
            self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
            self._live.start()
        self._live.update(Text(text, no_wrap=True, overflow='ellipsis'), refresh=True)

    def note(self, text: str) -> None:
        """Write a text above the line, to stay there."""
        self.console.print(text, markup=False)

    def clear(self) -> None:
        """Take the line away, so that others can write; ``show`` brings it back."""
        if self._live is not None:
            self._live.stop()
            self._live, self._last = None, 0.


LINE = StatusLine()  # a process has one terminal
