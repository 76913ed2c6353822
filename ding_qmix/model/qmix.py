from collections.abc import Mapping
from typing import Any, Optional, Union

import torch.nn as nn
from ding.utils import MODEL_REGISTRY
from torch import Tensor

from ding_qmix.ding_compat.checkpoint import from_host_state_dict, is_host_state_dict
from ding_qmix.ding_compat.hidden_state import pack_host_state, unpack_host_state
from ding_qmix.model.agent import RecurrentQNetwork
from ding_qmix.model.mixer import QMixer, VDNMixer

ILLEGAL_Q = -9999999.  # value of illegal actions in ``logit``; DI-engine's figure


@MODEL_REGISTRY.register('ding_qmix')
class QMix(nn.Module):
    """
    Overview:
        Model template of QMIX: one recurrent Q-network shared by the agents, and a mixer that joins their values.
        Takes and returns what DI-engine's ``qmix`` model does, so each can stand in for the other.
    Interfaces:
        ``__init__``, ``forward``, ``q_values``, ``initial_state``
    Source: QMIX (arXiv:1803.11485), VDN (arXiv:1706.05296)
    """

    def __init__(
            self,
            agent_num: int,
            obs_shape: Union[int, list[int]],
            global_obs_shape: Union[int, list[int]],
            action_shape: int,
            hidden_size_list: list[int],
            mixer: bool = True,
            lstm_type: str = 'gru',
            dueling: bool = False,
            mixing_embed_dim: Optional[int] = None,
            hypernet_embed_dim: int = 64,
    ) -> None:
        """
        Arguments:
            - agent_num: N
            - obs_shape: O, features of one agent's observation
            - global_obs_shape: S, features of the global state
            - action_shape: A
            - hidden_size_list: widths of the Q-network's encoder; the last is also that of recurrence and head
            - mixer: True for QMIX, False for VDN (the sum of the agents' values)
            - lstm_type: 'gru', or 'pytorch' for LSTM
            - dueling: dueling head instead of a plain one
            - mixing_embed_dim: width of the mixing network; None takes the last hidden size, as DI-engine does
            - hypernet_embed_dim: hidden width of the hypernetworks
        Raises:
            - ValueError: a size is not a positive integer, or ``lstm_type`` is unknown
        """
        super().__init__()
        self.agent_num = agent_num
        self.obs_dim = _flat_dim('obs_shape', obs_shape)
        self.state_dim = _flat_dim('global_obs_shape', global_obs_shape)
        self.action_dim = _flat_dim('action_shape', action_shape)
        self.agent = RecurrentQNetwork(self.obs_dim, self.action_dim, hidden_size_list, lstm_type, dueling)
        self.mixer: nn.Module = VDNMixer()
        if mixer:
            embed_dim = mixing_embed_dim or hidden_size_list[-1]
            self.mixer = QMixer(agent_num, self.state_dim, embed_dim, hypernet_embed_dim)

    def forward(self, data: dict[str, Any], single_step: bool = True) -> dict[str, Any]:
        """
        Overview:
            Compute every agent's Q-values and Q_tot of the given actions, or of the greedy legal ones.
        Arguments:
            - data: dict with keys
                - obs: dict(agent_state, global_state, action_mask)
                - prev_state: packed hidden state [B, N, L, H], None for zeros, or DI-engine's lists of dicts
                - action: optional; without it the greedy legal actions are taken and ``logit`` of illegal ones is
                  ``ILLEGAL_Q``
            - single_step: the input has no time axis
        Returns:
            - output: dict(total_q, logit, next_state, action_mask); next_state has the form of prev_state
        Shapes:
            - agent_state: [T, B, N, O]; global_state: [T, B, S]; action_mask: [T, B, N, A], non-zero is legal
            - action: [T, B, N] int64
            - total_q: [T, B]; logit: [T, B, N, A]; all without T if ``single_step``
        Raises:
            - ValueError: an axis does not fit the model
        """
        obs, prev_state = data['obs'], data.get('prev_state')
        agent_state, global_state, action = obs['agent_state'], obs['global_state'], data.get('action')
        if single_step:
            agent_state = agent_state.unsqueeze(0)  # [B, N, O] -> [1, B, N, O]
            global_state = global_state.unsqueeze(0) if global_state.dim() == 2 else global_state  # [1, B, S]
            action = None if action is None else action.reshape(1, *agent_state.shape[1:3])  # [1, B, N]
        self._check_obs(agent_state)
        zeros = self.initial_state(agent_state.shape[1])
        packed = prev_state is None or isinstance(prev_state, Tensor)
        hidden_state = (zeros if prev_state is None else prev_state) if packed else pack_host_state(prev_state, zeros)
        q_values, hidden_state = self.q_values(agent_state, hidden_state)
        if action is None:
            q_values = q_values.masked_fill(obs['action_mask'].reshape(q_values.shape) == 0, ILLEGAL_Q)
            action = q_values.argmax(dim=-1)  # [T, B, N]
        chosen_q = q_values.gather(-1, action.unsqueeze(-1)).squeeze(-1)  # [T, B, N]
        total_q = self.mixer(chosen_q, global_state)  # [T, B]
        return {
            'total_q': total_q.squeeze(0) if single_step else total_q,
            'logit': q_values.squeeze(0) if single_step else q_values,
            'next_state': hidden_state if packed else unpack_host_state(hidden_state),
            'action_mask': obs['action_mask'],
        }

    def q_values(self, agent_state: Tensor, hidden_state: Tensor) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Unroll the agents' network without mixing: all that acting needs.
        Shapes:
            - agent_state: [T, B, N, O]; hidden_state: [B, N, L, H] before step 0
            - returns: [T, B, N, A] and [B, N, L, H] after the last step
        """
        T, B, N = agent_state.shape[:3]
        q_values, hidden_state = self.agent(agent_state.reshape(T, B * N, -1), hidden_state.flatten(0, 1))
        return q_values.view(T, B, N, -1), hidden_state.unflatten(0, (B, N))

    def initial_state(self, n_episodes: int) -> Tensor:
        """Return the hidden state before an episode's first step: zeros [B, N, L, H]."""
        weight = self.agent.rnn.weight_hh_l0
        return weight.new_zeros(n_episodes, self.agent_num, self.agent.n_state_tensors, self.agent.hidden_dim)

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> Any:
        """Load our parameters, or those of DI-engine's ``qmix`` model of the same sizes."""
        if is_host_state_dict(state_dict):
            state_dict = from_host_state_dict(state_dict)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def _check_obs(self, agent_state: Tensor) -> None:
        if agent_state.dim() != 4 or agent_state.shape[2:] != (self.agent_num, self.obs_dim):
            raise ValueError(
                f'QMix: agent_state has shape {tuple(agent_state.shape)}, expected [T, B, agent_num={self.agent_num}, '
                f'obs_shape={self.obs_dim}]; build the model from the spec of the map'
            )


def _flat_dim(name: str, shape: Union[int, list[int]]) -> int:
    """7 and [7] are 7."""
    dims = [shape] if isinstance(shape, int) else list(shape)
    if len(dims) != 1 or not isinstance(dims[0], int) or dims[0] < 1:
        raise ValueError(
            f"QMix: {name}={shape!r}, expected a positive int or a list of one; images need DI-engine's own model "
            "(model.type 'qmix')"
        )
    return dims[0]
