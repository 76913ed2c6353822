from typing import Any, Optional

import numpy as np
import torch

from ding_qmix.run_state.checks import check_entries, check_tensor
from ding_qmix.spec import Actor, EpisodeStats, VecEnv, VecStep
from ding_qmix.utils.threads import one_torch_thread
from ding_qmix.worker.recorder import EpisodeRecorder


class Rollout:
    """
    Overview:
        The one loop between env and actor, for collection as for evaluation.
        Exactly n episodes are begun and all of them are played to their end by one policy, so short episodes are no
        more likely to be seen than long ones. Envs without an episode to play are skipped. In the place of an episode
        that an env lost, the same env plays another one.
    Interfaces:
        ``play``, ``state_dict``, ``load_state_dict``
    """

    def __init__(self, env: VecEnv) -> None:
        """
        Arguments:
            - env: a batch of battles that nobody else steps
        """
        self._env = env
        self._needs_reset = np.ones(env.n_envs, dtype=bool)  # [E], no episode was begun, or one was left unfinished

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
        step = self._begin(actor)
        active = np.arange(self._env.n_envs) < n_episode  # [E]
        n_begun = int(active.sum())
        if recorder is not None:
            recorder.begin(np.flatnonzero(active), step)
        actions = np.zeros((self._env.n_envs, self._env.spec.n_agents), dtype=np.int64)  # [E, N]
        n_lost = np.zeros(self._env.n_envs, dtype=np.int64)  # [E], in the place of the running episode
        stats: list[EpisodeStats] = []
        while active.any():
            env_ids = np.flatnonzero(active)  # [K]
            hidden_state = self._act(actor, step, env_ids, epsilon, actions)
            self._needs_reset[env_ids] = True  # before the step: an interrupt may come in the middle of it
            step = self._env.step(actions, active)
            if recorder is not None:
                recorder.record(env_ids, actions, hidden_state, step)
            done = (step.terminated | step.truncated)[env_ids]  # [K]
            done_ids = env_ids[done]
            self._needs_reset[done_ids] = False
            self._check_running(env_ids[~done], step)
            actor.reset(env_ids[done | step.lost[env_ids]])
            n_lost[env_ids] += step.lost[env_ids]
            if len(done_ids) > 0:
                stats.append(_episode_stats(step, done_ids, n_lost[done_ids]))
                n_lost[done_ids] = 0
                n_more = min(len(done_ids), n_episode - n_begun)
                n_begun += n_more
                active[done_ids[n_more:]] = False
        return EpisodeStats(*(np.concatenate(field) for field in zip(*stats)))

    def state_dict(self) -> dict[str, Any]:
        """Return the battles, between two calls of ``play``."""
        return {
            'map_name': self._env.spec.map_name,
            'env': self._env.state_dict(),
            'needs_reset': torch.from_numpy(self._needs_reset.copy())
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``; ValueError if it is of another map, or damaged."""
        check_entries('run state', state_dict, ('map_name', 'env', 'needs_reset'))
        saved, here = state_dict['map_name'], self._env.spec.map_name
        if saved != here:
            raise ValueError(
                f'run state: saved on map {saved!r}, but this run plays {here!r}; resume with map {saved!r}'
            )
        check_tensor('run state: needs_reset', state_dict['needs_reset'], torch.bool, (self._env.n_envs, ))
        self._env.load_state_dict(state_dict['env'])
        self._needs_reset[:] = state_dict['needs_reset'].numpy()

    def _begin(self, actor: Actor) -> VecStep:
        """Replace what an interrupted call left unfinished, and show what the envs wait with."""
        actor.reset()
        if not self._needs_reset.any():
            return self._env.observe()
        step = self._env.reset(np.flatnonzero(self._needs_reset))
        self._needs_reset[:] = False
        return step

    def _act(
            self, actor: Actor, step: VecStep, env_ids: np.ndarray, epsilon: float, actions_out: np.ndarray
    ) -> torch.Tensor:
        """Write the actions int64 [E, N] of the envs [K]; return the hidden states [K, N, L, H] that they are from."""
        rows = slice(None) if len(env_ids) == self._env.n_envs else env_ids  # a slice copies nothing
        obs, mask = torch.from_numpy(step.obs[rows]), torch.from_numpy(step.action_mask[rows])
        action, hidden_state = actor.act(obs, mask, env_ids, epsilon)
        actions_out[env_ids] = action.numpy()
        return hidden_state

    def _check_running(self, env_ids: np.ndarray, step: VecStep) -> None:
        """Stop at an env that does not end its episodes, instead of playing on for ever."""
        spec, lengths = self._env.spec, step.episode_len[env_ids]
        if (lengths >= spec.episode_limit).any():
            raise RuntimeError(
                f'Rollout: env {env_ids[lengths.argmax()]} on map {spec.map_name} goes on after {lengths.max()} env '
                f'steps, expected an end by its episode_limit of {spec.episode_limit}; it must report terminated or '
                'truncated'
            )


def _episode_stats(step: VecStep, done_ids: np.ndarray, n_lost: np.ndarray) -> EpisodeStats:
    """What the episodes came to that ended in a step."""
    return EpisodeStats(
        step.episode_return[done_ids], step.won[done_ids], step.truncated[done_ids], step.episode_len[done_ids],
        step.dead_allies[done_ids], step.dead_enemies[done_ids], n_lost
    )
