import signal
import threading
from logging import Logger
from types import FrameType
from typing import Any, Callable, Optional

from ding_qmix.run_state import TO_USER

INTERRUPT_CHECKPOINT = 'ckpt_interrupted.pth.tar'


class InterruptFlag:
    """
    Overview:
        Turns the first Ctrl-C (SIGINT), SIGTERM or SIGHUP into a flag, so that training stops between two updates with
        a checkpoint; the second one stops at once. Outside the main thread signals cannot be caught, it is never
        raised. SIGHUP stays ignored where it was, as below ``nohup``.
    Interfaces:
        ``install``, ``uninstall``, ``save_checkpoint``
    Properties:
        ``raised``
    """
    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.raised = False
        self._previous: dict = {}

    def install(self) -> None:
        """Begin to catch; the handlers of before come back with ``uninstall`` or the first signal."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {n: signal.signal(n, self._on_signal) for n in self._SIGNALS if not _is_nohup(n)}

    def uninstall(self) -> None:
        """Put the handlers of before back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def save_checkpoint(self, save_ckpt_fn: Optional[Callable[[str], Any]], train_iter: int, logger: Logger) -> None:
        """
        Overview:
            Answer a raised flag: keep a checkpoint, after which the training is to be stopped.
        Arguments:
            - save_ckpt_fn: called with the checkpoint's file name; None keeps nothing
            - train_iter, logger: for the line that tells the user
        """
        logger.info(f'interrupted: stopping after train iter {train_iter}, a checkpoint is saved', extra=TO_USER)
        if save_ckpt_fn is not None:
            save_ckpt_fn(INTERRUPT_CHECKPOINT)

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        self.raised = True
        self.uninstall()


def _is_nohup(number: int) -> bool:
    """The run is to outlive its terminal."""
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
