from typing import Protocol

from ding_qmix.spec import VecEnv


class BatchedEnvManager(Protocol):
    """What the batched pipeline asks of an env manager beside DI-engine's interface."""

    @property
    def closed(self) -> bool:
        """No battle runs."""

    @property
    def vec_env(self) -> VecEnv:
        """The running battles, to be stepped as a batch."""

    def launch(self) -> None:
        """Begin to play."""

    def close(self) -> None:
        """Release the battles."""


def batched_env(manager: BatchedEnvManager, who: str) -> VecEnv:
    """
    Overview:
        Launch an env manager and return its batched env.
    Raises:
        - TypeError: the manager has none, so only DI-engine's own collector and evaluator can use it
    """
    if not hasattr(type(manager), 'vec_env'):
        raise TypeError(
            f'{who}: env manager {type(manager).__name__} has no batched env; set create_config.env_manager.type='
            "'ding_smac_vector', or collector 'episode' and evaluator 'interaction' for DI-engine's managers"
        )
    if manager.closed:
        manager.launch()
    return manager.vec_env
