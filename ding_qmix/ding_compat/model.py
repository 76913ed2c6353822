from collections.abc import Mapping
from typing import Any, ClassVar, Optional, Union

from ding.utils import MODEL_REGISTRY
from torch import Tensor

from ding_qmix.ding_compat.checkpoint import from_ding_state_dict, is_ding_state_dict
from ding_qmix.ding_compat.hidden_state import to_hidden_state, to_prev_state
from ding_qmix.model import QMix
from ding_qmix.schema import FLAG, Rule, Schema, check_section, choice, integer, list_of, optional, union
from ding_qmix.schema.ding_engine import PART

ILLEGAL_Q = -9999999.  # value of illegal actions in ``logit``; DI-engine's figure
_RNN_TYPES = {'gru': 'gru', 'pytorch': 'lstm'}  # DI-engine's names of ours
_DIM = integer(1, 10 ** 6)
_SHAPE = union(_DIM, Rule('a list of one', lambda v: list_of(_DIM, 1).fits(v) and len(v) == 1))


@MODEL_REGISTRY.register('ding_qmix')
class DingQMix(QMix):
    """
    Overview:
        ``QMix`` as a model template of DI-engine: it takes and returns what DI-engine's ``qmix`` model does and loads
        its checkpoints, so each can stand in for the other.
    Interfaces:
        ``__init__``, ``forward``, ``load_state_dict``, ``check_config``, and those of ``QMix``
    """
    schema: ClassVar[Schema] = dict(  # what the arguments take, whose defaults stand below
        PART,
        agent_num=_DIM,
        obs_shape=_SHAPE,
        global_obs_shape=_SHAPE,
        action_shape=_SHAPE,
        hidden_size_list=list_of(_DIM, 1),
        mixer=FLAG,
        lstm_type=choice(*_RNN_TYPES, expected=f"one of {tuple(_RNN_TYPES)}, or DI-engine's own model (type 'qmix')"),
        dueling=FLAG,
        mixing_embed_dim=optional(_DIM),
        hypernet_embed_dim=_DIM,
    )

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
        if lstm_type not in _RNN_TYPES:
            raise ValueError(
                f'model ding_qmix: lstm_type {lstm_type!r} is unknown, expected one of {tuple(_RNN_TYPES)}; for '
                "DI-engine's layer-norm LSTM ('normal') give the policy DI-engine's own model (model.type 'qmix')"
            )
        if len(hidden_size_list) == 0:
            raise ValueError('model ding_qmix: hidden_size_list is empty, expected at least one width')
        super().__init__(
            n_agents=agent_num,
            obs_dim=_flat_dim('obs_shape', obs_shape),
            state_dim=_flat_dim('global_obs_shape', global_obs_shape),
            n_actions=_flat_dim('action_shape', action_shape),
            hidden_dims=hidden_size_list,
            mixer='qmix' if mixer else 'vdn',
            rnn_type=_RNN_TYPES[lstm_type],
            dueling=dueling,
            mixing_dim=mixing_embed_dim,
            hypernet_dim=hypernet_embed_dim,
        )

    def forward(self, data: dict[str, Any], single_step: bool = True) -> dict[str, Any]:
        """
        Overview:
            Compute every agent's Q-values and Q_tot of the given actions, or of the greedy legal ones.
        Arguments:
            - data: dict with keys
                - obs: dict(agent_state, global_state, action_mask)
                - prev_state: hidden state [B, N, L, H], None for zeros, or DI-engine's lists of dicts
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
        obs, prev_state, action = data['obs'], data.get('prev_state'), data.get('action')
        agent_state, state = obs['agent_state'], obs['global_state']
        if single_step:
            agent_state = agent_state.unsqueeze(0)  # [B, N, O] -> [1, B, N, O]
            state = state.unsqueeze(0) if state.dim() == 2 else state  # [1, B, S]
            action = None if action is None else action.reshape(1, *agent_state.shape[1:3])  # [1, B, N]
        as_lists = prev_state is not None and not isinstance(prev_state, Tensor)
        before: Any = prev_state
        if as_lists:
            before = to_hidden_state(before, self.initial_state(agent_state.shape[1]))
        q_values, after = self.q_values(agent_state, before)
        if action is None:
            q_values = q_values.masked_fill(obs['action_mask'].reshape(q_values.shape) == 0, ILLEGAL_Q)
            action = q_values.argmax(dim=-1)  # [T, B, N]
        total_q = self.mixer(q_values.gather(-1, action.unsqueeze(-1)).squeeze(-1), state)  # [T, B]
        return {
            'total_q': total_q.squeeze(0) if single_step else total_q,
            'logit': q_values.squeeze(0) if single_step else q_values,
            'next_state': to_prev_state(after) if as_lists else after,
            'action_mask': obs['action_mask'],
        }

    @classmethod
    def check_config(cls, given: Any, path: str = 'policy.model') -> None:
        """Check section ``policy.model`` of a config, or what is given of it: ValueError names the key's path."""
        check_section(path, given, cls.schema)

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> Any:
        """Load our parameters, or those of DI-engine's ``qmix`` model of the same sizes."""
        if is_ding_state_dict(state_dict):
            state_dict = from_ding_state_dict(state_dict)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)


def _flat_dim(name: str, shape: Union[int, list[int]]) -> int:
    """7 and [7] are 7."""
    dims = [shape] if isinstance(shape, int) else list(shape)
    if len(dims) != 1 or not isinstance(dims[0], int) or dims[0] < 1:
        raise ValueError(
            f"model ding_qmix: {name}={shape!r}, expected a positive int or a list of one; images need DI-engine's own "
            "model (model.type 'qmix')"
        )
    return dims[0]
