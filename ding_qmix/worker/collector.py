import time
from typing import Any, ClassVar, Optional

import numpy as np
from ding.utils import SERIAL_COLLECTOR_REGISTRY
from ding.worker.collector.base_serial_collector import ISerialCollector
from easydict import EasyDict
from tensorboardX import SummaryWriter
from torch import Tensor

from ding_qmix.policy.modes import CollectMode
from ding_qmix.run_state import DETAIL
from ding_qmix.run_state.checks import check_count, check_entries
from ding_qmix.schema import TEXT, Key, Schema, check_section, defaults, integer
from ding_qmix.schema.ding_engine import COLLECTOR_REST, PART
from ding_qmix.spec import EpisodeStats
from ding_qmix.worker.batched_env import BatchedEnvManager
from ding_qmix.worker.recorder import EpisodeRecorder
from ding_qmix.worker.vector_worker import VectorWorker, episode_info, lost_text


@SERIAL_COLLECTOR_REGISTRY.register('ding_qmix_vector')
class VectorCollector(VectorWorker[CollectMode], ISerialCollector):
    """
    Overview:
        Collects whole episodes from a batched env: one policy forward and one env step for all battles at a time.
    Interfaces:
        ``collect``, ``reset``, ``reset_env``, ``reset_policy``, ``close``
    Properties:
        ``envstep``
    """
    schema: ClassVar[Schema] = dict(
        PART,
        type=Key('ding_qmix_vector', TEXT),
        # Write the statistics of the latest episodes to log and TensorBoard this often.
        collect_print_freq=Key(100, integer(1, 10 ** 9, 'train iters')),
        **COLLECTOR_REST,
    )
    config = defaults(schema)
    _env_step_count: int
    _episode_count: int
    _stats: list[EpisodeStats]  # since the latest log
    _duration: float  # [s] since the latest log
    _last_train_iter: int  # of the latest log

    def __init__(
            self,
            cfg: EasyDict,
            env: Optional[BatchedEnvManager] = None,
            policy: Optional[CollectMode] = None,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'collector',
    ) -> None:
        """As DI-engine's collectors; see ``VectorWorker`` for what is refused."""
        self.check_config(cfg)
        self._cfg = cfg
        super().__init__(CollectMode, env, policy, tb_logger, exp_name, instance_name)

    @classmethod
    def check_config(cls, given: Any, path: str = 'policy.collect.collector') -> None:
        """Check this part's section of a config, or what is given of it: ValueError names the key's path."""
        check_section(path, given, cls.schema)

    def reset_policy(self, _policy: Optional[CollectMode] = None) -> None:
        """Take over a new policy, or forget the hidden states of the present one."""
        super().reset_policy(_policy)
        if _policy is not None:
            self._recorder = EpisodeRecorder(self._vec_env.spec, self._vec_env.n_envs, _policy.keep_hidden_state)

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
        n_episode = n_episode or self._policy.n_episode
        epsilon = (policy_kwargs or {}).get('eps', 0.)
        self._recorder.take()  # what an interrupted call left
        stats = self._rollout.play(self._actor, n_episode, epsilon, self._recorder)
        samples = [sample for episode in self._recorder.take() for sample in self._policy.cut_episode(episode)]
        self._env_step_count += int(stats.length.sum())
        self._episode_count += len(stats.length)
        self._stats.append(stats)
        self._duration += time.perf_counter() - start
        if train_iter - self._last_train_iter >= self._cfg.collect_print_freq:
            self._last_train_iter = train_iter
            self._log(train_iter, epsilon)
        self._run.progress.collected(self._env_step_count)
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
        """Restore ``state_dict``, ValueError if it is damaged; statistics begin anew with the next log."""
        counts = ('env_step_count', 'episode_count', 'last_train_iter')
        check_entries('collector', state_dict, (*counts, 'rollout'))
        for name in counts:
            check_count(f'collector: {name}', state_dict[name])
        self._env_step_count, self._episode_count = state_dict['env_step_count'], state_dict['episode_count']
        self._last_train_iter = state_dict['last_train_iter']
        self._rollout.load_state_dict(state_dict['rollout'])
        self._stats, self._duration = [], 0.

    def _reset_counts(self) -> None:
        self._env_step_count, self._episode_count = 0, 0
        self._stats, self._duration = [], 0.
        self._last_train_iter = 0

    def _log(self, train_iter: int, epsilon: float) -> None:
        """Write the statistics since the latest log; DI-engine's names where it has one."""
        stats = EpisodeStats(*(np.concatenate(field) for field in zip(*self._stats)))
        info = {
            **episode_info(stats),
            'avg_envstep_per_sec': stats.length.sum() / self._duration,
            'collect_time': self._duration,
            'truncated_rate': stats.truncated.mean(),
            'epsilon': epsilon,
            'total_envstep_count': self._env_step_count,
            'total_episode_count': self._episode_count,
        }
        self._stats, self._duration = [], 0.
        self._write_scalars(info, train_iter, self._env_step_count)
        self._logger.info(
            f'{self._env_step_count:>9,} env steps | collected {info["episode_count"]} episodes, '
            f'win rate {info["win_rate"]:.2f}, return {info["shaped_return_mean"]:.2f}, '
            f'length {info["avg_envstep_per_episode"]:.0f}, epsilon {epsilon:.2f}, '
            f'{info["avg_envstep_per_sec"]:,.0f} env steps/s{lost_text(info)}',
            extra=DETAIL
        )
