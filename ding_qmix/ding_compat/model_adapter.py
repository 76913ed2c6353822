from collections.abc import Mapping
from typing import Any, Optional, Union

import torch
import torch.nn as nn
from torch import Tensor

from ding_qmix.ding_compat.hidden_state import to_hidden_state, to_prev_state
from ding_qmix.model import QMix


class DingModelAdapter(nn.Module):
    """
    Overview:
        DI-engine's ``qmix`` model, or a subclass of it, with the interface of ``QMix``: hidden states are one tensor.
        It loops over agents and time as before; use it for a trained or customised model, not for speed.
    Interfaces:
        ``q_values``, ``mixer``, ``initial_state``
    """

    def __init__(self, model: nn.Module, agent_num: int, global_obs_shape: int, hidden_dim: int) -> None:
        """
        Arguments:
            - model: takes dict(obs, prev_state, action) and ``single_step``, mixes by ``_mixer`` on the output of \
                ``_global_state_encoder`` where its ``mixer`` is True, all as DI-engine's ``QMix`` does
            - agent_num: N
            - global_obs_shape: S
            - hidden_dim: H, width of the model's recurrence
        Raises:
            - TypeError: the model has no such mixer
        """
        super().__init__()
        if not hasattr(model, 'mixer') or (model.mixer and not hasattr(model, '_mixer')):
            raise TypeError(
                f'policy ding_qmix: model {type(model).__name__} has no mixer; expected our model ding_qmix, or '
                "DI-engine's model 'qmix' or a subclass of it"
            )
        self.model = model
        self._agent_num, self._state_dim, self._hidden_dim = agent_num, global_obs_shape, hidden_dim

    def q_values(
            self,
            obs: Tensor,
            hidden_state: Optional[Tensor] = None,
            n_rows: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """As ``QMix.q_values``: obs [T, B, N, O] -> [T, B, N, A] and [B, N, L, H]; ``n_rows`` makes no difference."""
        T, B, N = obs.shape[:3]
        hidden_state = self.initial_state(B) if hidden_state is None else hidden_state
        data = {
            'obs': {
                'agent_state': obs,
                'global_state': obs.new_zeros(T, B, self._state_dim),
                'action_mask': obs.new_ones(1),
            },
            'prev_state': to_prev_state(hidden_state),
            # Given, so that nothing is masked: DI-engine masks logits in place.
            'action': torch.zeros(T, B, N, dtype=torch.int64, device=obs.device),
        }
        output = self.model(data, single_step=False)
        return output['logit'], to_hidden_state(output['next_state'], hidden_state)

    def mixer(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """As ``QMix.mixer``: agent_q [T, B, N], state [T, B, S] -> Q_tot [T, B]."""
        model: Any = self.model
        if not model.mixer:
            return agent_q.sum(dim=-1)
        return model._mixer(agent_q, model._global_state_encoder(state))

    def initial_state(self, n_episodes: int) -> Tensor:
        """Return zeros [B, N, 2, H]: DI-engine's states have h and c, also for a GRU."""
        weight = next(self.model.parameters())
        return weight.new_zeros(n_episodes, self._agent_num, 2, self._hidden_dim)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Parameters under DI-engine's own names."""
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load parameters under DI-engine's own names."""
        return self.model.load_state_dict(state_dict, strict=strict, assign=assign)


Network = Union[QMix, DingModelAdapter]


def as_network(model: nn.Module, cfg: Mapping[str, Any]) -> Network:
    """
    Overview:
        Give a policy's model the interface of ``QMix``: our own is returned as it is, DI-engine's in an adapter.
    Arguments:
        - cfg: section ``policy.model``
    """
    if isinstance(model, (QMix, DingModelAdapter)):
        return model
    state_shape = cfg['global_obs_shape']
    state_dim = state_shape if isinstance(state_shape, int) else state_shape[0]
    return DingModelAdapter(model, cfg['agent_num'], state_dim, cfg['hidden_size_list'][-1])
