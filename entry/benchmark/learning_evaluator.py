"""DI-engine's evaluator, for its own policies, at equal intervals of env steps and with its results in a file."""
import os
import time
from typing import Any, Callable, Optional

import numpy as np
from ding.utils import SERIAL_EVALUATOR_REGISTRY
from ding.worker import InteractionSerialEvaluator

from ding_qmix.utils.result_file import ResultFile


@SERIAL_EVALUATOR_REGISTRY.register('benchmark_env_step')
class EnvStepEvaluator(InteractionSerialEvaluator):
    """
    Overview:
        Evaluates every ``eval_env_steps`` [env steps] and appends a row to evaluations.csv, as this package's evaluator
        does. DI-engine's own counts train iters, of which policies do different numbers per env step.
    """
    config = dict(
        InteractionSerialEvaluator.config,
        # (int) [env steps] Evaluate this often.
        eval_env_steps=10000,
    )

    def __init__(self, *args: Any, exp_name: str = 'default_experiment', **kwargs: Any) -> None:
        super().__init__(*args, exp_name=exp_name, **kwargs)
        self._file = ResultFile(os.path.join(exp_name, 'log', 'evaluator', 'evaluations.csv'))
        self._start = time.perf_counter()
        self._env_step: Optional[int] = None  # of the latest evaluation
        self._info: dict[str, list] = {}

    def should_eval(self, train_iter: int) -> bool:
        """Always: env steps are known to ``eval`` alone."""
        return True

    def eval(
            self,
            save_ckpt_fn: Optional[Callable] = None,
            train_iter: int = -1,
            envstep: int = -1,
            *args: Any,
            **kwargs: Any
    ) -> tuple[bool, dict[str, list]]:
        """As DI-engine's, but the latest result again where no evaluation is due."""
        if self._env_step is not None and envstep - self._env_step < self._cfg.eval_env_steps:
            return False, self._info
        self._env_step = envstep
        stop, self._info = super().eval(save_ckpt_fn, train_iter, envstep, *args, **kwargs)
        self._file.append(
            {
                'env_step': envstep,
                'train_iter': train_iter,
                'win_rate': float(np.mean(self._info['eval_episode_return'])),  # 1. for a battle won, else 0.
                'elapsed_time': time.perf_counter() - self._start,
            }
        )
        return stop, self._info
