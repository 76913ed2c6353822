from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ding_qmix.spec import EnvSpec, VecStep

_SEEN = ('obs', 'state', 'action_mask')  # one row more than steps


class _Rows(NamedTuple):
    """The running episodes of E envs; fields of EpisodeBatch, by env and time."""
    obs: np.ndarray  # float32 [E, T + 1, N, O]
    state: np.ndarray  # float32 [E, T + 1, S]
    action_mask: np.ndarray  # bool [E, T + 1, N, A]
    action: np.ndarray  # int64 [E, T, N]
    reward: np.ndarray  # float32 [E, T]
    terminated: np.ndarray  # float32 [E, T]
    truncated: np.ndarray  # float32 [E, T]
    hidden_state: np.ndarray  # float32 [E, T, N, L, H]


class EpisodeRecorder:
    """
    Overview:
        Writes running episodes into storage laid out once, and hands out the ended ones as training samples: dicts with
        the fields of EpisodeBatch, without the batch axis and of exact length. The env keeps the time.
    Interfaces:
        ``begin``, ``record``, ``take``
    """

    def __init__(self, spec: EnvSpec, n_envs: int, keep_hidden_state: bool = False) -> None:
        """
        Arguments:
            - spec: the map
            - n_envs: E
            - keep_hidden_state: keep the actor's hidden state before every step, for training on chunks
        """
        T, N, A = spec.episode_limit, spec.n_agents, spec.n_actions
        self._rows = _Rows(
            obs=np.zeros((n_envs, T + 1, N, spec.obs_dim), dtype=np.float32),
            state=np.zeros((n_envs, T + 1, spec.state_dim), dtype=np.float32),
            action_mask=np.zeros((n_envs, T + 1, N, A), dtype=bool),
            action=np.zeros((n_envs, T, N), dtype=np.int64),
            reward=np.zeros((n_envs, T), dtype=np.float32),
            terminated=np.zeros((n_envs, T), dtype=np.float32),
            truncated=np.zeros((n_envs, T), dtype=np.float32),
            hidden_state=np.zeros((n_envs, T, N, 0, 0), dtype=np.float32),  # L and H show with the first decision
        )
        self._keep_hidden_state = keep_hidden_state
        self._samples: list[dict[str, Tensor]] = []

    def begin(self, env_ids: np.ndarray, step: VecStep) -> None:
        """Keep what the agents see first in the envs int [K], forgetting an episode that was not finished."""
        self._write_seen(env_ids, np.zeros_like(env_ids), step.obs, step.state, step.action_mask)

    def record(self, env_ids: np.ndarray, actions: np.ndarray, hidden_state: Tensor, step: VecStep) -> None:
        """
        Overview:
            Keep one decision and what it led to; where an episode ended, close it and begin the next one. Of a lost
            episode nothing is kept.
        Arguments:
            - env_ids: int [K], the envs that played
            - actions: int64 [E, N]
            - hidden_state: [K, N, L, H], before the decision
            - step: after the decision
        """
        lost = step.lost[env_ids]
        if lost.any():
            self.begin(env_ids[lost], step)
            env_ids, hidden_state = env_ids[~lost], hidden_state[torch.from_numpy(~lost)]
        t = step.episode_len[env_ids] - 1  # [K]
        rows = self._rows
        rows.action[env_ids, t] = actions[env_ids]
        rows.reward[env_ids, t] = step.reward[env_ids]
        rows.terminated[env_ids, t] = step.terminated[env_ids]
        rows.truncated[env_ids, t] = step.truncated[env_ids]
        if self._keep_hidden_state:
            self._record_hidden_state(env_ids, t, hidden_state)
        done = (step.terminated | step.truncated)[env_ids]
        self._write_seen(env_ids[~done], t[~done] + 1, step.obs, step.state, step.action_mask)
        if done.any():
            self._finish(env_ids[done], t[done] + 1, step)
            self.begin(env_ids[done], step)

    def take(self) -> list[dict[str, Tensor]]:
        """Hand out the samples of all ended episodes and forget them."""
        samples, self._samples = self._samples, []
        return samples

    def _finish(self, env_ids: np.ndarray, lengths: np.ndarray, step: VecStep) -> None:
        """Close episodes of the given lengths [env steps]; their last row is the env's ``final_*``."""
        self._write_seen(env_ids, lengths, step.final_obs, step.final_state, step.final_action_mask)
        self._samples += [self._sample(e, length) for e, length in zip(env_ids, lengths)]

    def _write_seen(
            self, env_ids: np.ndarray, t: np.ndarray, obs: np.ndarray, state: np.ndarray, action_mask: np.ndarray
    ) -> None:
        """Keep rows of arrays [E, ...] as what the agents of the envs [K] saw at times [K]."""
        envs = slice(None) if len(env_ids) == len(obs) else env_ids  # a slice copies nothing
        self._rows.obs[env_ids, t] = obs[envs]
        self._rows.state[env_ids, t] = state[envs]
        self._rows.action_mask[env_ids, t] = action_mask[envs]

    def _record_hidden_state(self, env_ids: np.ndarray, t: np.ndarray, hidden_state: Tensor) -> None:
        """Keep hidden states [K, N, L, H]; the first ones show how large they are."""
        stored = self._rows.hidden_state
        if stored.shape[3:] != hidden_state.shape[2:]:
            stored = np.zeros((*stored.shape[:3], *hidden_state.shape[2:]), dtype=np.float32)
            self._rows = self._rows._replace(hidden_state=stored)
        stored[env_ids, t] = hidden_state.numpy()

    def _sample(self, env_id: int, length: int) -> dict[str, Tensor]:
        """Copy one episode out: T + 1 rows of obs, state and action_mask, T of the rest."""
        rows = self._rows._asdict()
        if not self._keep_hidden_state:
            del rows['hidden_state']
        sample = {
            name: torch.from_numpy(array[env_id, :length + (name in _SEEN)].copy())
            for name, array in rows.items()
        }
        sample['mask'] = torch.ones(int(length))
        return sample
