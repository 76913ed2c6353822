"""Which log lines of a run go to the terminal. All of them go to the run's log files."""
import logging
from weakref import ref

from ditk.logging import try_init_root

from ding_qmix.terminal.status_line import StatusLine

_LEARNER = 'learner_logger'  # DI-engine's: its tables, the whole model, every checkpoint
_SPACES = 'base_env_manager'  # DI-engine's module that writes every env's spaces


class ProgressFilter(logging.Filter):
    """
    Overview:
        Keeps details off the terminal and writes the rest above the progress line. A filter of the root logger's
        handlers: the handlers of the log files are others'.
    Interfaces:
        ``install``, ``remove``
    """

    def __init__(self, line: StatusLine) -> None:
        """
        Arguments:
            - line: above which to write
        """
        super().__init__()
        self._line = line
        self._handlers: list[ref] = []

    def install(self) -> None:
        """Filter from now on; a filter that an earlier run left behind goes."""
        for handler in try_init_root(logging.INFO).handlers:
            for old in [f for f in handler.filters if isinstance(f, ProgressFilter)]:
                handler.removeFilter(old)
            handler.addFilter(self)
            self._handlers.append(ref(handler))

    def remove(self) -> None:
        """Let everything through; a second call does nothing."""
        for handler in (found() for found in self._handlers):
            if handler is not None:
                handler.removeFilter(self)
        self._handlers = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether DI-engine's handler is to write a line; this one writes it where the line would be torn."""
        if not _is_for_user(record):
            return False
        if self._line.is_live or hasattr(record, 'to_user'):
            self._line.note(record.getMessage())
            return False
        return True


def _is_for_user(record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO or hasattr(record, 'to_user'):
        return True
    return not (hasattr(record, 'detail') or record.name == _LEARNER or record.module == _SPACES)
