import time
from typing import Any, Callable, Optional

import numpy as np
from ding.utils import SERIAL_COLLECTOR_REGISTRY, build_logger
from ding.worker.collector.base_serial_collector import ISerialCollector
from easydict import EasyDict
from tensorboardX import SummaryWriter
from torch import Tensor

from ding_qmix.config import check_model_sizes
from ding_qmix.run_state import join_run
from ding_qmix.spec import Actor
from ding_qmix.utils.keys import check_keys
from ding_qmix.worker.batched_env import BatchedEnvManager, PolicyMode, batched_env
from ding_qmix.worker.recorder import EpisodeRecorder
from ding_qmix.worker.rollout import EpisodeStats, Rollout


@SERIAL_COLLECTOR_REGISTRY.register('ding_qmix_vector')
class VectorCollector(ISerialCollector):
    """
    Overview:
        Collects whole episodes from a batched env: one policy forward and one env step for all battles at a time.
    Interfaces:
        ``collect``, ``reset``, ``reset_env``, ``reset_policy``, ``close``
    Properties:
        ``envstep``
    """
    config = dict(
        type='ding_qmix_vector',
        # (int) [train iters] Write the statistics of the latest episodes to log and TensorBoard this often.
        collect_print_freq=100,
    )

    def __init__(
            self,
            cfg: EasyDict,
            env: Optional[BatchedEnvManager] = None,
            policy: Optional[PolicyMode] = None,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'collector',
    ) -> None:
        """As DI-engine's collectors; TypeError if ``env`` is not batched, ValueError if its map is not the model's."""
        check_keys('policy.collect.collector', cfg, {*self.config, 'cfg_type', 'import_names', 'get_train_sample'})
        self._policy: PolicyMode
        self._actor: Actor
        self._recorder: EpisodeRecorder
        self._cut_episode: Callable[[dict[str, Tensor]], list[dict[str, Tensor]]]
        self._cfg = cfg
        self._instance_name = instance_name
        self._logger, own_tb_logger = build_logger(
            f'./{exp_name}/log/{instance_name}', instance_name, need_tb=tb_logger is None
        )
        self._tb_logger = tb_logger or own_tb_logger
        self._closed = False
        self.reset(policy, env)
        join_run(exp_name, instance_name, self)

    def reset_env(self, _env: Optional[BatchedEnvManager] = None) -> None:
        """Launch and take over a new env manager, or begin new episodes in the present one."""
        if _env is not None:
            self._env = _env
            self._vec_env = batched_env(_env, self._instance_name)
        self._rollout = Rollout(self._vec_env)

    def reset_policy(self, _policy: Optional[PolicyMode] = None) -> None:
        """Take over a new policy, or forget the hidden states of the present one."""
        if _policy is not None:
            self._policy = _policy
            cfg = _policy.get_attribute('cfg')
            check_model_sizes(cfg.model, self._vec_env.spec)
            self._actor = _policy.get_attribute('collect_actor')
            self._cut_episode = _policy.get_attribute('cut_episode')
            keeps_state = cfg.collect.unroll_len > 0 and cfg.collect.stored_state
            self._recorder = EpisodeRecorder(self._vec_env.spec, self._vec_env.n_envs, keeps_state)
        self._policy.reset()

    def reset(self, _policy: Optional[PolicyMode] = None, _env: Optional[BatchedEnvManager] = None) -> None:
        """Take over env and policy where given, and start counting anew."""
        if _env is not None:
            self.reset_env(_env)
        if _policy is not None:
            self.reset_policy(_policy)
        self._env_step_count, self._episode_count = 0, 0
        self._stats: list[EpisodeStats] = []  # since the latest log
        self._duration = 0.  # [s], since the latest log
        self._last_train_iter = 0

    def collect(
            self,
            n_episode: Optional[int] = None,
            train_iter: int = 0,
            policy_kwargs: Optional[dict] = None,
    ) -> list[dict[str, Tensor]]:
        """
        Overview:
            Play episodes to their end.
        Arguments:
            - n_episode: any number; None takes ``policy.collect.n_episode``
            - train_iter: for the log
            - policy_kwargs: dict(eps) from the commander
        Returns:
            - samples: training samples, as the policy cuts them
        """
        start = time.perf_counter()
        n_episode = n_episode or self._policy.get_attribute('n_episode')
        epsilon = (policy_kwargs or {}).get('eps', 0.)
        self._recorder.take()  # what an interrupted call left
        stats = self._rollout.play(self._actor, n_episode, epsilon, self._recorder)
        samples = [sample for episode in self._recorder.take() for sample in self._cut_episode(episode)]
        self._env_step_count += int(stats.length.sum())
        self._episode_count += len(stats.length)
        self._stats.append(stats)
        self._duration += time.perf_counter() - start
        if train_iter - self._last_train_iter >= self._cfg.collect_print_freq:
            self._last_train_iter = train_iter
            self._log(train_iter, epsilon)
        return samples

    @property
    def envstep(self) -> int:
        """Env steps played so far."""
        return self._env_step_count

    @envstep.setter
    def envstep(self, value: int) -> None:
        self._env_step_count = value

    def state_dict(self) -> dict[str, Any]:
        """Return counters and battles, between two calls of ``collect``."""
        return {
            'env_step_count': self._env_step_count,
            'episode_count': self._episode_count,
            'last_train_iter': self._last_train_iter,
            'rollout': self._rollout.state_dict(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``; statistics begin anew with the next log."""
        self._env_step_count, self._episode_count = state_dict['env_step_count'], state_dict['episode_count']
        self._last_train_iter = state_dict['last_train_iter']
        self._rollout.load_state_dict(state_dict['rollout'])
        self._stats, self._duration = [], 0.

    def close(self) -> None:
        """Close the env and flush the log; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._env.close()
        self._tb_logger.flush()
        self._tb_logger.close()

    def __del__(self) -> None:
        if hasattr(self, '_closed'):
            self.close()

    def _log(self, train_iter: int, epsilon: float) -> None:
        """Write the statistics since the latest log; DI-engine's names where it has one."""
        stats = EpisodeStats(*(np.concatenate(field) for field in zip(*self._stats)))
        info: dict[str, Any] = {
            'episode_count': len(stats.length),
            'envstep_count': int(stats.length.sum()),
            'avg_envstep_per_episode': stats.length.mean(),
            'avg_envstep_per_sec': stats.length.sum() / self._duration,
            'collect_time': self._duration,
            'reward_mean': stats.won.mean(),  # DI-engine's SMAC env: return 1 on a win, else 0
            'win_rate': stats.won.mean(),
            'shaped_return_mean': stats.episode_return.mean(),
            'dead_allies_mean': stats.dead_allies.mean(),
            'dead_enemies_mean': stats.dead_enemies.mean(),
            'truncated_rate': stats.truncated.mean(),
            'epsilon': epsilon,
            'total_envstep_count': self._env_step_count,
            'total_episode_count': self._episode_count,
        }
        self._stats, self._duration = [], 0.
        for name, value in info.items():
            self._tb_logger.add_scalar(f'{self._instance_name}_iter/{name}', value, train_iter)
            self._tb_logger.add_scalar(f'{self._instance_name}_step/{name}', value, self._env_step_count)
        self._logger.info(
            f'{self._env_step_count:>9,} env steps | collected {info["episode_count"]} episodes, '
            f'win rate {info["win_rate"]:.2f}, return {info["shaped_return_mean"]:.2f}, '
            f'length {info["avg_envstep_per_episode"]:.0f}, epsilon {epsilon:.2f}, '
            f'{info["avg_envstep_per_sec"]:,.0f} env steps/s'
        )
