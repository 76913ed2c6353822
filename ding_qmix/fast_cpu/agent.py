from collections.abc import Mapping
from typing import Optional

import numpy as np
from torch import Tensor

from ding_qmix.fast_cpu.agent_kernel import (
    AGENT_PARAMETER_NAMES,
    TILE,
    AgentParameters,
    AgentRows,
    AgentScratch,
    agent_backward,
    agent_forward,
)
from ding_qmix.fast_cpu.gru_kernel import BLOCK
from ding_qmix.fast_cpu.scratch_arrays import ScratchArrays
from ding_qmix.model import RecurrentQNetwork


class CPUAgent:
    """
    Overview:
        ``RecurrentQNetwork`` over a packed sequence by kernels, forward and backward: same parameters, same results, no
        graph. For networks that ``why_not_agent`` has nothing against.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, agent: RecurrentQNetwork, gradients: Optional[Mapping[str, Tensor]] = None) -> None:
        """
        Arguments:
            - gradients: what ``backward`` adds to, by the parameters' names; without them there is no backward pass
        """
        self._parameters, self._scratch_arrays = dict(agent.named_parameters()), ScratchArrays()
        self._grads = None if gradients is None else _arrays(gradients)
        H = self._hidden_dim = agent.hidden_dim
        obs_dim = self._parameters[AGENT_PARAMETER_NAMES['encoder_weight']].shape[1]
        self._n_actions = self._parameters[AGENT_PARAMETER_NAMES['output_weight']].shape[0]
        self._given_widths = (obs_dim, H)  # of obs and hidden state
        self._row_widths = dict(encoded=H, before=H, after=H, gates=4 * H, head=H)

    def forward(
            self,
            obs: np.ndarray,
            row_offsets: np.ndarray,
            hidden: np.ndarray,
            for_backward: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Overview:
            Compute all Q-values, which are valid until the next call, and the hidden states in the end.
        Arguments:
            - for_backward: keep what ``backward`` needs
        Shapes:
            - obs: [R, O]; row_offsets: int64 [T + 1], where each time's rows begin; hidden: [K, H] before step 0
            - returns: [R, A] and [K, H]
        Raises:
            - ValueError: the widths are not the network's
        """
        if (obs.shape[1], hidden.shape[1]) != self._given_widths:
            raise ValueError(
                f'CPUAgent: obs has {obs.shape[1]} features and hidden_state {hidden.shape[1]}, expected '
                f'{self._given_widths}; build the model from the spec of the map'
            )
        array, H = self._scratch_arrays.array, self._hidden_dim
        n_tile = max(TILE, int(row_offsets[1] - row_offsets[0]))  # no tile is larger, forward or backward
        n_rows = len(obs) if for_backward else n_tile
        self._weights = _arrays(self._parameters)
        self._rows = AgentRows(**{name: array(name, n_rows, n) for name, n in self._row_widths.items()})
        self._scratch = AgentScratch(
            array('inputs', n_tile, 3 * H), array('recurrent', n_tile, 3 * H), array('grad', n_tile, H),
            array('block', BLOCK, 3 * H)
        )
        q_values, hidden = array('q_values', len(obs), self._n_actions), hidden.copy()
        agent_forward(obs, row_offsets, hidden, self._weights, self._rows, self._scratch, q_values)
        return q_values, hidden

    def backward(self, obs: np.ndarray, row_offsets: np.ndarray, grad_q: np.ndarray) -> None:
        """
        Overview:
            Add to the gradients, given the gradient of the Q-values of the last ``forward``.
        Shapes:
            - obs, row_offsets: as given to ``forward``; grad_q: [R, A]
        """
        grad_hidden = self._scratch_arrays.array('grad_hidden', int(row_offsets[1]), self._hidden_dim)
        grad_hidden[:] = 0.
        agent_backward(obs, row_offsets, grad_q, self._weights, self._rows, self._scratch, grad_hidden, self._grads)


def _arrays(tensors: Mapping[str, Tensor]) -> AgentParameters:
    """Tensors by the parameters' names as the kernels take them."""
    return AgentParameters(**{field: tensors[name].detach().numpy() for field, name in AGENT_PARAMETER_NAMES.items()})
