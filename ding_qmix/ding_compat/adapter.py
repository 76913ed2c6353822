import math
from collections.abc import Mapping
from typing import Any, Union

import torch
import torch.nn as nn
from torch import Tensor

from ding_qmix.ding_compat.hidden_state import pack_host_state, unpack_host_state
from ding_qmix.model.qmix import QMix


class HostQMix(nn.Module):
    """
    Overview:
        DI-engine's ``qmix`` model (or another of its contract) with the interface of ours: hidden states are one
        tensor. It loops over agents and time as before; use it for a trained or customised model, not for speed.
    Interfaces:
        ``forward``, ``q_values``, ``initial_state``
    """

    def __init__(self, model: nn.Module, agent_num: int, global_obs_shape: int, hidden_dim: int) -> None:
        """
        Arguments:
            - model: takes dict(obs, prev_state, action) and ``single_step`` as DI-engine's ``QMix.forward`` does
            - agent_num: N
            - global_obs_shape: S
            - hidden_dim: H, width of the model's recurrence
        """
        super().__init__()
        self.model = model
        self._agent_num, self._state_dim, self._hidden_dim = agent_num, global_obs_shape, hidden_dim

    def forward(self, data: dict[str, Any], single_step: bool = True) -> dict[str, Any]:
        """As ``QMix.forward``; ``prev_state`` and ``next_state`` are packed, [B, N, L, H]."""
        obs = dict(data['obs'])
        obs['action_mask'] = obs['action_mask'].float()  # the host compares with 0. and masks in place
        host_data = dict(data, obs=obs, prev_state=unpack_host_state(data['prev_state']))
        output = self.model.forward(host_data, single_step=single_step)
        output['next_state'] = pack_host_state(output['next_state'], self.initial_state(len(data['prev_state'])))
        return output

    def q_values(self, agent_state: Tensor, hidden_state: Tensor) -> tuple[Tensor, Tensor]:
        """As ``QMix.q_values``: agent_state [T, B, N, O] -> [T, B, N, A] and [B, N, L, H]."""
        T, B, N = agent_state.shape[:3]
        obs = {
            'agent_state': agent_state,
            'global_state': agent_state.new_zeros(T, B, self._state_dim),
            'action_mask': agent_state.new_ones(1),
        }
        action = torch.zeros(T, B, N, dtype=torch.int64, device=agent_state.device)  # given, so nothing is masked
        output = self.forward({'obs': obs, 'prev_state': hidden_state, 'action': action}, single_step=False)
        return output['logit'], output['next_state']

    def initial_state(self, n_episodes: int) -> Tensor:
        """Return zeros [B, N, 2, H]: DI-engine's states have h and c, also for a GRU."""
        weight = next(self.model.parameters())
        return weight.new_zeros(n_episodes, self._agent_num, 2, self._hidden_dim)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Parameters under the host's own names."""
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load parameters under the host's own names."""
        return self.model.load_state_dict(state_dict, strict=strict, assign=assign)


def with_packed_state(model: nn.Module, cfg: Mapping[str, Any]) -> nn.Module:
    """
    Overview:
        Give a policy's model the interface of ours: our own is returned as it is, DI-engine's in ``HostQMix``.
    Arguments:
        - cfg: section ``policy.model``
    """
    if isinstance(model, (QMix, HostQMix)):
        return model
    return HostQMix(model, cfg['agent_num'], math.prod(_dims(cfg['global_obs_shape'])), cfg['hidden_size_list'][-1])


def _dims(shape: Union[int, list[int]]) -> list[int]:
    return [shape] if isinstance(shape, int) else list(shape)
