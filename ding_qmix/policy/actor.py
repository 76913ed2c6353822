from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ding_qmix.ding_compat import Network
from ding_qmix.policy.fast_path import make_fast_agent
from ding_qmix.rl_utils import epsilon_greedy

EnvIds = Union[list[int], np.ndarray, Tensor]


class RecurrentActor:
    """
    Overview:
        Acts for many envs at once: keeps the hidden state of every env and agent, and picks actions by epsilon-greedy.
    Interfaces:
        ``act``, ``reset``, ``hidden_state``
    """

    def __init__(self, model: Network, generator: Optional[torch.Generator] = None, use_kernels: bool = True) -> None:
        """
        Arguments:
            - generator: the source of exploration's draws, on the CPU; None for an actor that only acts greedily
            - use_kernels: let the kernels of ``fast_cpu`` compute Q-values where they are for this model
        """
        self._model = model
        self._generator = generator
        self._hidden_state = model.initial_state(0)  # [E, N, L, H], grows with the envs seen
        self._fast_agent = make_fast_agent(model) if use_kernels else None

    @torch.no_grad()
    def act(self, obs: Tensor, action_mask: Tensor, env_ids: EnvIds, epsilon: float = 0.) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Pick one action for every agent of the given envs and move their hidden state on.
        Shapes:
            - obs: float [K, N, O]; action_mask: bool [K, N, A]; env_ids: K numbers
            - returns: action int64 [K, N], and the hidden state [K, N, L, H] that the decision was made from; both on \
                the CPU, wherever the network is
        """
        self._make_room(int(max(env_ids)) + 1)
        before = self._hidden_state[env_ids]
        q_values, after = self._q_values(obs.to(before.device), before)  # [K, N, A]
        self._hidden_state[env_ids] = after
        # Drawn on the CPU, so that exploration does not depend on where the network is.
        return epsilon_greedy(q_values.cpu(), action_mask.cpu(), epsilon, self._generator), before.cpu()

    def _q_values(self, obs: Tensor, hidden_state: Tensor) -> tuple[Tensor, Tensor]:
        """One step: obs [K, N, O], hidden_state [K, N, L, H] -> Q-values [K, N, A] and the next hidden state."""
        if self._fast_agent is None:
            q_values, after = self._model.q_values(obs.unsqueeze(0), hidden_state)
            return q_values.squeeze(0), after
        K, N = obs.shape[:2]
        rows, before = obs.flatten(0, 1).numpy(), hidden_state.flatten(0, 2).numpy()
        q_rows, after_rows = self._fast_agent.forward(rows, np.array([0, K * N]), before)
        return torch.from_numpy(q_rows).view(K, N, -1), torch.from_numpy(after_rows).view(hidden_state.shape)

    def reset(self, env_ids: Optional[EnvIds] = None) -> None:
        """Forget the hidden state of the given envs, or of all."""
        if env_ids is None:
            self._hidden_state.zero_()
        else:
            seen = [int(i) for i in env_ids if i < len(self._hidden_state)]  # an env not seen yet has none
            self._hidden_state[seen] = 0.

    @property
    def hidden_state(self) -> Tensor:
        """Hidden states [E, N, L, H] of the envs seen so far."""
        return self._hidden_state

    def _make_room(self, n_envs: int) -> None:
        missing = n_envs - len(self._hidden_state)
        if missing > 0:
            self._hidden_state = torch.cat([self._hidden_state, self._model.initial_state(missing)])
