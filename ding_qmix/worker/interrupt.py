import signal
import threading
from types import FrameType
from typing import Optional


class InterruptFlag:
    """
    Overview:
        Turns the first Ctrl-C (SIGINT) or SIGTERM into a flag, so that training stops between two updates with a
        checkpoint; the second one stops at once. Outside the main thread signals cannot be caught, it never rises.
    Interfaces:
        ``install``, ``uninstall``, ``raised``
    """
    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.raised = False
        self._previous: dict = {}

    def install(self) -> None:
        """Begin to catch; the handlers of before come back with ``uninstall`` or the first signal."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._on_signal) for number in self._SIGNALS}

    def uninstall(self) -> None:
        """Put the handlers of before back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        self.raised = True
        self.uninstall()
