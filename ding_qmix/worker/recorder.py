import numpy as np
import torch
from torch import Tensor

from ding_qmix.spec import EnvSpec, VecStep


class EpisodeRecorder:
    """
    Overview:
        Writes running episodes into storage laid out once, and hands out the ended ones as training samples: dicts with
        the fields of EpisodeBatch, without the batch axis and of exact length.
    Interfaces:
        ``record_decision``, ``record_outcome``, ``finish``, ``take``
    """

    def __init__(self, spec: EnvSpec, n_envs: int, keep_hidden_state: bool = False) -> None:
        """
        Arguments:
            - spec: the map
            - n_envs: E
            - keep_hidden_state: keep the actor's hidden state before every step, for training on chunks
        """
        T, N, A = spec.episode_limit, spec.n_agents, spec.n_actions
        self._obs = np.zeros((n_envs, T + 1, N, spec.obs_dim), dtype=np.float32)
        self._state = np.zeros((n_envs, T + 1, spec.state_dim), dtype=np.float32)
        self._action_mask = np.zeros((n_envs, T + 1, N, A), dtype=bool)
        self._action = np.zeros((n_envs, T, N), dtype=np.int64)
        self._reward = np.zeros((n_envs, T), dtype=np.float32)
        self._terminated = np.zeros((n_envs, T), dtype=np.float32)
        self._truncated = np.zeros((n_envs, T), dtype=np.float32)
        self._keep_hidden_state = keep_hidden_state
        self._hidden_state = np.zeros((n_envs, T, N, 0, 0), dtype=np.float32)  # L and H show with the first decision
        self._samples: list[dict[str, Tensor]] = []

    def record_decision(
            self, env_ids: np.ndarray, t: np.ndarray, step: VecStep, actions: np.ndarray, hidden_state: Tensor
    ) -> None:
        """
        Overview:
            Keep what the agents saw and chose.
        Shapes:
            - env_ids, t: int [K], the envs and their episodes' clocks [env steps]
            - actions: int64 [E, N]; hidden_state: [K, N, L, H], before the decision
        """
        rows = slice(None) if len(env_ids) == len(self._obs) else env_ids  # a slice copies nothing
        self._obs[env_ids, t] = step.obs[rows]
        self._state[env_ids, t] = step.state[rows]
        self._action_mask[env_ids, t] = step.action_mask[rows]
        self._action[env_ids, t] = actions[rows]
        if self._keep_hidden_state:
            if self._hidden_state.shape[3:] != hidden_state.shape[2:]:
                shape = (*self._hidden_state.shape[:3], *hidden_state.shape[2:])
                self._hidden_state = np.zeros(shape, dtype=np.float32)
            self._hidden_state[env_ids, t] = hidden_state.numpy()

    def record_outcome(self, env_ids: np.ndarray, t: np.ndarray, step: VecStep) -> None:
        """Keep what the decision at clock t led to. Shapes as in ``record_decision``."""
        self._reward[env_ids, t] = step.reward[env_ids]
        self._terminated[env_ids, t] = step.terminated[env_ids]
        self._truncated[env_ids, t] = step.truncated[env_ids]

    def finish(self, env_ids: np.ndarray, lengths: np.ndarray, step: VecStep) -> None:
        """Close episodes of the given lengths [env steps]; their last row is the env's ``final_*``."""
        self._obs[env_ids, lengths] = step.final_obs[env_ids]
        self._state[env_ids, lengths] = step.final_state[env_ids]
        self._action_mask[env_ids, lengths] = step.final_action_mask[env_ids]
        self._samples += [self._sample(e, length) for e, length in zip(env_ids, lengths)]

    def take(self) -> list[dict[str, Tensor]]:
        """Hand out the samples of all ended episodes and forget them."""
        samples, self._samples = self._samples, []
        return samples

    def _sample(self, env_id: int, length: int) -> dict[str, Tensor]:
        """Copy one episode out: T + 1 rows of obs, state and action_mask, T of the rest."""
        n_rows = {'obs': length + 1, 'state': length + 1, 'action_mask': length + 1}
        n_rows.update({name: length for name in ('action', 'reward', 'terminated', 'truncated')})
        if self._keep_hidden_state:
            n_rows['hidden_state'] = length
        sample = {name: torch.from_numpy(getattr(self, f'_{name}')[env_id, :n].copy()) for name, n in n_rows.items()}
        sample['mask'] = torch.ones(int(length))
        return sample
