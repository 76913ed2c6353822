from typing import Any, Optional

import numpy as np
import torch

from ding_qmix.spec import Actor, EpisodeStats, VecEnv, VecStep
from ding_qmix.utils.threads import one_torch_thread
from ding_qmix.worker.recorder import EpisodeRecorder


class Rollout:
    """
    Overview:
        The one loop between env and actor, for collection as for evaluation.
        Exactly n episodes are begun and all of them are played to their end by one policy, so short episodes are no
        more likely to be seen than long ones. Envs without an episode to play stand still.
    Interfaces:
        ``play``, ``state_dict``, ``load_state_dict``
    """

    def __init__(self, env: VecEnv) -> None:
        """
        Arguments:
            - env: a batch of battles that nobody else steps
        """
        self._env = env
        self._step: VecStep  # what the env shows; there is one from the first ``_begin`` on
        self._halfway = np.ones(env.n_envs, dtype=bool)  # [E], a reset is due before the next episode
        self._episode_return = np.zeros(env.n_envs)  # [E]
        self._length = np.zeros(env.n_envs, dtype=np.int64)  # [E], [env steps]

    @one_torch_thread()
    def play(
            self,
            actor: Actor,
            n_episode: int,
            epsilon: float = 0.,
            recorder: Optional[EpisodeRecorder] = None
    ) -> EpisodeStats:
        """
        Overview:
            Play episodes with one policy.
        Arguments:
            - actor: has ``act(obs, action_mask, env_ids, epsilon)`` and ``reset(env_ids)``
            - n_episode: number of episodes, 1 or more
            - epsilon: probability of a random action, for each env and agent on its own
            - recorder: keeps what happened; None for statistics only
        Raises:
            - ValueError: no episode asked for
            - RuntimeError: the env goes on after its episode limit
        """
        if n_episode < 1:
            raise ValueError(f'Rollout: n_episode={n_episode}, expected at least 1')
        self._begin(actor)
        active = np.arange(self._env.n_envs) < n_episode  # [E]
        n_begun = int(active.sum())
        actions = np.zeros((self._env.n_envs, self._env.spec.n_agents), dtype=np.int64)  # [E, N]
        stats: list[EpisodeStats] = []
        while active.any():
            env_ids = np.flatnonzero(active)  # [K]
            rows = slice(None) if active.all() else env_ids  # a slice copies nothing
            obs = torch.from_numpy(self._step.obs[rows])  # [K, N, O]
            mask = torch.from_numpy(self._step.action_mask[rows])  # [K, N, A]
            action, hidden_state = actor.act(obs, mask, env_ids, epsilon)
            actions[env_ids] = action.numpy()
            if recorder is not None:
                recorder.record_decision(env_ids, self._length[env_ids], self._step, actions, hidden_state)
            self._halfway[env_ids] = True  # before the step: an interrupt may come in the middle of it
            self._step = self._env.step(actions, active)
            if recorder is not None:
                recorder.record_outcome(env_ids, self._length[env_ids], self._step)
            self._length[env_ids] += 1
            self._episode_return[env_ids] += self._step.reward[env_ids]
            done_ids = env_ids[(self._step.terminated | self._step.truncated)[env_ids]]
            if len(done_ids) > 0:
                stats.append(self._finish(actor, done_ids, recorder))
                n_more = min(len(done_ids), n_episode - n_begun)
                n_begun += n_more
                active[done_ids[n_more:]] = False
            self._check_ends()
            self._halfway[:] = self._length > 0
        return EpisodeStats(*(np.concatenate(field) for field in zip(*stats)))

    def state_dict(self) -> dict[str, Any]:
        """Return the battles, between two calls of ``play``."""
        return {'env': self._env.state_dict(), 'halfway': torch.from_numpy(self._halfway.copy())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``."""
        self._env.load_state_dict(state_dict['env'])
        self._halfway[:] = state_dict['halfway'].numpy()
        self._step = self._env.observe()

    def _begin(self, actor: Actor) -> None:
        """Drop what an interrupted call left half played."""
        if self._halfway.any():
            self._step = self._env.reset(np.flatnonzero(self._halfway))
            self._episode_return[self._halfway] = 0.
            self._length[self._halfway] = 0
            self._halfway[:] = False
        actor.reset()

    def _check_ends(self) -> None:
        """Stop at an env that does not end its episodes, instead of playing on for ever."""
        spec = self._env.spec
        if self._length.max() >= spec.episode_limit:
            raise RuntimeError(
                f'Rollout: env {self._length.argmax()} on map {spec.map_name} goes on after {self._length.max()} env '
                f'steps, expected an end by its episode_limit of {spec.episode_limit}; it must report terminated or '
                'truncated'
            )

    def _finish(self, actor: Actor, done_ids: np.ndarray, recorder: Optional[EpisodeRecorder]) -> EpisodeStats:
        """Close the ended episodes; their envs already show the next one."""
        step = self._step
        if recorder is not None:
            recorder.finish(done_ids, self._length[done_ids], step)
        stats = EpisodeStats(
            self._episode_return[done_ids], step.won[done_ids].copy(), step.truncated[done_ids].copy(),
            self._length[done_ids], step.dead_allies[done_ids].copy(), step.dead_enemies[done_ids].copy()
        )
        self._episode_return[done_ids] = 0.
        self._length[done_ids] = 0
        actor.reset(done_ids)
        return stats
