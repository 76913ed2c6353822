import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Optional, TypeVar

from ding.utils import build_logger
from tensorboardX import SummaryWriter

from ding_qmix.config import check_model_sizes
from ding_qmix.policy.modes import CollectMode, EvalMode
from ding_qmix.run_state import RunState
from ding_qmix.spec import Actor, EpisodeStats, VecEnv
from ding_qmix.worker.batched_env import BatchedEnvManager, batched_env
from ding_qmix.worker.rollout import Rollout

Mode = TypeVar('Mode', CollectMode, EvalMode)


class VectorWorker(ABC, Generic[Mode]):
    """
    Overview:
        What collector and evaluator have in common: batched env, mode of the policy, logs, the run they belong to.
    Interfaces:
        ``reset``, ``reset_env``, ``reset_policy``, ``close``
    """
    _vec_env: VecEnv
    _rollout: Rollout
    _policy: Mode
    _actor: Actor

    def __init__(
            self,
            mode_type: type[Mode],
            env: Optional[BatchedEnvManager],
            policy: Optional[Mode],
            tb_logger: Optional[SummaryWriter],
            exp_name: str,
            instance_name: str,
    ) -> None:
        """
        Arguments:
            - mode_type: the mode of the policy that is expected
            - env, policy, tb_logger, exp_name, instance_name: from DI-engine; without a ``tb_logger`` one is made
        Raises:
            - TypeError: ``env`` is not batched, or ``policy`` is another mode, or the mode of another policy
            - ValueError: the env's map is not the model's
        """
        self._mode_type: type[Mode] = mode_type
        self._env: Optional[BatchedEnvManager] = None
        self._instance_name = instance_name
        self._logger, own_tb_logger = build_logger(
            os.path.join('.', exp_name, 'log', instance_name), instance_name, need_tb=tb_logger is None
        )
        self._tb_logger = tb_logger or own_tb_logger
        self._closed = False
        self.reset(policy, env)
        self._run = RunState.of(tb_logger)
        self._run.join(instance_name, self)

    def reset_env(self, _env: Optional[BatchedEnvManager] = None) -> None:
        """Launch and take over a new env manager, or begin new episodes in the present one."""
        if _env is not None:
            self._env = _env
            self._vec_env = batched_env(_env, self._instance_name)
        self._rollout = Rollout(self._vec_env)

    def reset_policy(self, _policy: Optional[Mode] = None) -> None:
        """Take over a new policy, or forget the hidden states of the present one."""
        if _policy is not None:
            self._check_mode(_policy)
            check_model_sizes(_policy.model_sizes, self._vec_env.spec)
            self._policy, self._actor = _policy, _policy.actor
        self._policy.reset()

    def reset(self, _policy: Optional[Mode] = None, _env: Optional[BatchedEnvManager] = None) -> None:
        """Take over env and policy where given, and forget what was counted so far."""
        if _env is not None:
            self.reset_env(_env)
        if _policy is not None:
            self.reset_policy(_policy)
        self._reset_counts()

    def close(self) -> None:
        """Close the env and flush the log; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._env is not None:
            self._env.close()
        self._tb_logger.flush()
        self._tb_logger.close()

    def __del__(self) -> None:
        if hasattr(self, '_closed'):
            self.close()

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as it is between two calls."""

    @abstractmethod
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``."""

    @abstractmethod
    def _reset_counts(self) -> None:
        """Forget what was counted so far."""

    def _check_mode(self, policy: Mode) -> None:
        """TypeError unless the policy is ours, in the mode that is expected."""
        if not isinstance(policy, self._mode_type):
            raise TypeError(
                f'{self._instance_name}: policy mode {type(policy).__name__}, expected {self._mode_type.__name__} of '
                "policy ding_qmix; set create_config.policy.type='ding_qmix', or collector 'episode' and evaluator "
                "'interaction' for DI-engine's policies"
            )

    def _write_scalars(self, info: Mapping[str, float], train_iter: int, env_step: int) -> None:
        """Write to TensorBoard as DI-engine's collectors and evaluators do: over train iters and over env steps."""
        for name, value in info.items():
            self._tb_logger.add_scalar(f'{self._instance_name}_iter/{name}', value, train_iter)
            self._tb_logger.add_scalar(f'{self._instance_name}_step/{name}', value, env_step)


def episode_info(stats: EpisodeStats) -> dict[str, float]:
    """Return the means that collector and evaluator log; DI-engine's names where it has one."""
    return {
        'episode_count': len(stats.length),
        'envstep_count': int(stats.length.sum()),
        'avg_envstep_per_episode': stats.length.mean(),
        'reward_mean': stats.won.mean(),  # DI-engine's SMAC env: return 1 on a win, else 0
        'win_rate': stats.won.mean(),
        'shaped_return_mean': stats.episode_return.mean(),
        'dead_allies_mean': stats.dead_allies.mean(),
        'dead_enemies_mean': stats.dead_enemies.mean(),
        'lost_episode_count': int(stats.n_lost.sum()),
    }


def lost_text(info: Mapping[str, float]) -> str:
    """Return what a log line says of lost episodes, '' if there are none."""
    return f', {info["lost_episode_count"]} lost and played anew' if info['lost_episode_count'] else ''
