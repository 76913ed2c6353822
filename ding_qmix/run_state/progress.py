from typing import Callable, NamedTuple, Optional


class Evaluation(NamedTuple):
    """What the latest evaluation of a run found."""
    env_step: int
    win_rate: float
    low: float  # of the 95 % interval
    high: float
    best: float  # win rate so far


class RunProgress:
    """
    Overview:
        How far a run is, as collector and evaluator tell it, for whoever shows it.
    Interfaces:
        ``collected``, ``evaluated``
    """

    def __init__(self) -> None:
        self.env_step = 0
        self.notes: list[str] = []  # what happened before anybody showed it
        self.evaluation: Optional[Evaluation] = None
        self.on_collected: Optional[Callable[[], None]] = None
        self.on_evaluated: Optional[Callable[[], None]] = None

    def collected(self, env_step: int) -> None:
        """The run has played so many env steps."""
        self.env_step = env_step
        if self.on_collected is not None:
            self.on_collected()

    def evaluated(self, evaluation: Evaluation) -> None:
        """The run has been evaluated."""
        self.evaluation = evaluation
        if self.on_evaluated is not None:
            self.on_evaluated()
