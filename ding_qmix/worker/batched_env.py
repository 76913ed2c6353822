from typing import Any

from ding_qmix.spec import VecEnv


def batched_env(manager: Any, who: str) -> VecEnv:
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
