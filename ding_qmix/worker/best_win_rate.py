import json
import os

from ding_qmix.run_state import write_whole

BEST_CHECKPOINT = 'ckpt_best.pth.tar'


class BestWinRate:
    """
    Overview:
        The win rate of the best checkpoint, in a file beside it, so that a run that resumes from before it keeps it.
    Interfaces:
        ``write``, ``read``
    """

    def __init__(self, folder: str) -> None:
        """
        Arguments:
            - folder: of the checkpoints
        """
        self._checkpoint = os.path.join(folder, BEST_CHECKPOINT)
        self._path = os.path.join(folder, 'ckpt_best.json')

    def write(self, win_rate: float) -> None:
        """Note the win rate, after the checkpoint was saved."""
        write_whole(self._path, json.dumps({'win_rate': win_rate}).encode())

    def read(self) -> float:
        """Return the win rate, -1. if there is no best checkpoint."""
        if not (os.path.exists(self._path) and os.path.exists(self._checkpoint)):
            return -1.
        with open(self._path, encoding='utf-8') as file:
            return float(json.load(file)['win_rate'])
