from collections.abc import Sequence
from typing import Optional

import torch.nn as nn
from torch import Tensor

from ding_qmix.model.agent import RecurrentQNetwork
from ding_qmix.model.mixer import QMixer, VDNMixer


class QMix(nn.Module):
    """
    Overview:
        QMIX's network: one recurrent Q-network ``agent`` shared by all agents, and a ``mixer`` that joins the values of
        their actions to Q_tot.
    Interfaces:
        ``q_values``, ``mixer``, ``initial_state``
    Source: QMIX (arXiv:1803.11485), VDN (arXiv:1706.05296)
    """

    def __init__(
        self,
        n_agents: int,
        obs_dim: int,
        state_dim: int,
        n_actions: int,
        hidden_dims: Sequence[int] = (64, ),
        mixer: str = 'qmix',
        rnn_type: str = 'gru',
        dueling: bool = False,
        mixing_dim: Optional[int] = None,
        hypernet_dim: int = 64,
    ) -> None:
        """
        Arguments:
            - n_agents: N
            - obs_dim: O, features of one agent's observation
            - state_dim: S, features of the global state
            - n_actions: A
            - hidden_dims: widths of the Q-network's encoder; the last is that of recurrence and head too
            - mixer: 'qmix' for the monotonic mixing network, 'vdn' for the sum of the agents' values
            - rnn_type: 'gru' or 'lstm'
            - dueling: dueling head instead of a plain one
            - mixing_dim: width of the mixing network; None takes the last of ``hidden_dims``
            - hypernet_dim: hidden width of the hypernetworks
        Raises:
            - ValueError: ``mixer`` or ``rnn_type`` is unknown, or there is no hidden width
        """
        super().__init__()
        if mixer not in ('qmix', 'vdn'):
            raise ValueError(f"QMix: mixer {mixer!r} is unknown, expected 'qmix' or 'vdn'")
        self.n_agents, self.obs_dim, self.state_dim, self.n_actions = n_agents, obs_dim, state_dim, n_actions
        self.agent = RecurrentQNetwork(obs_dim, n_actions, hidden_dims, rnn_type, dueling)
        self.mixer: nn.Module = VDNMixer()
        if mixer == 'qmix':
            self.mixer = QMixer(n_agents, state_dim, mixing_dim or hidden_dims[-1], hypernet_dim)

    def q_values(
            self,
            obs: Tensor,
            hidden_state: Optional[Tensor] = None,
            n_rows: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Unroll the agents' network: every agent's value of every action.
        Arguments:
            - n_rows: rows of each episode, the longest episode first; the rest is padding, on which nothing is
              computed. None for T rows each.
        Shapes:
            - obs: [T, B, N, O]; n_rows: int64 [B]
            - hidden_state: [B, N, L, H] before row 0, None for zeros; L is 1 for a GRU, 2 for an LSTM
            - returns: [T, B, N, A], zero on padding, and the hidden state [B, N, L, H] after the last row
        Raises:
            - ValueError: obs is not of this network's agents and features
        """
        self._check_obs(obs)
        T, B, N = obs.shape[:3]
        hidden_state = self.initial_state(B) if hidden_state is None else hidden_state
        n_rows = None if n_rows is None else n_rows.repeat_interleave(N)  # [B] -> [B * N]
        q_values, hidden_state = self.agent(obs.flatten(1, 2), hidden_state.flatten(0, 1), n_rows)
        return q_values.view(T, B, N, -1), hidden_state.unflatten(0, (B, N))

    def initial_state(self, n_episodes: int) -> Tensor:
        """Return the hidden state before an episode's first step: zeros [B, N, L, H]."""
        weight = next(self.agent.parameters())
        return weight.new_zeros(n_episodes, self.n_agents, self.agent.n_state_tensors, self.agent.hidden_dim)

    def _check_obs(self, obs: Tensor) -> None:
        if obs.dim() != 4 or obs.shape[2:] != (self.n_agents, self.obs_dim):
            raise ValueError(
                f'QMix: obs has shape {tuple(obs.shape)}, expected [T, B, n_agents={self.n_agents}, '
                f'obs_dim={self.obs_dim}]; build the model from the spec of the map'
            )
