from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from ding_qmix.fast_cpu.agent_kernel import (
    TILE,
    AgentParameters,
    AgentRows,
    AgentScratch,
    agent_backward,
    agent_forward,
)
from ding_qmix.fast_cpu.blas import find_blas
from ding_qmix.fast_cpu.gru_kernel import BLOCK
from ding_qmix.fast_cpu.scratch import Workspace
from ding_qmix.model.agent import QHead, RecurrentQNetwork
from ding_qmix.numba_kernel import JIT


def can_pack_agent(agent: torch.nn.Module) -> bool:
    """Say whether a network has the layers that are written by hand: one of encoder, GRU, plain head; float32, CPU."""
    return (
        JIT and find_blas() is not None and type(agent) is RecurrentQNetwork and type(agent.rnn) is torch.nn.GRU
        and type(agent.head) is QHead and len(agent.encoder) == 2
        and all(p.dtype == torch.float32 and p.device.type == 'cpu' for p in agent.parameters())
    )


class PackedAgent:
    """
    Overview:
        ``RecurrentQNetwork`` over packed rows on the CPU, forward and backward by hand: same parameters, same results,
        no graph. Rows are those of ``gru_kernel``: by time, longest sequence first, no padding.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, agent: RecurrentQNetwork, gradients: Optional[Sequence[Tensor]] = None) -> None:
        """
        Arguments:
            - agent: a network for which ``can_pack_agent`` holds
            - gradients: what ``backward`` adds to, one a parameter; without them there is no way back
        """
        self._parameters, self._work, self._blas = list(agent.parameters()), Workspace(), find_blas()
        self._grads = None if gradients is None else AgentParameters(*(g.numpy() for g in gradients))
        H, self._A = agent.hidden_dim, agent.head.q[2].out_features
        self._given_widths = (agent.encoder[0].in_features, H)  # of obs and hidden state
        self._row_widths = dict(encoded=H, before=H, after=H, gates=4 * H, head=H)
        self._H = H

    def forward(self,
                obs: np.ndarray,
                starts: np.ndarray,
                hidden: np.ndarray,
                for_backward: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """
        Overview:
            Compute all Q-values, which are valid until the next call, and the hidden states in the end.
        Arguments:
            - for_backward: keep what ``backward`` needs
        Shapes:
            - obs: [R, O]; starts: int64 [T + 2], first row of each time; hidden: [K, H] before step 0
            - returns: [R, A] and [K, H]
        Raises:
            - ValueError: the widths are not the network's
        """
        if (obs.shape[1], hidden.shape[1]) != self._given_widths:
            raise ValueError(
                f'PackedAgent: obs has {obs.shape[1]} features and hidden_state {hidden.shape[1]}, expected '
                f'{self._given_widths}; build the model from the spec of the map'
            )
        array = self._work.array
        n_tile = max(TILE, int(starts[1] - starts[0]))  # no tile is larger, forward or backward
        n_rows = len(obs) if for_backward else n_tile
        self._weights = AgentParameters(*(p.detach().numpy() for p in self._parameters))
        self._rows = AgentRows(**{name: array(name, n_rows, n) for name, n in self._row_widths.items()})
        wide = 3 * self._H
        self._scratch = AgentScratch(
            array('inputs', n_tile, wide), array('recurrent', n_tile, wide), array('wide', n_tile, self._H),
            array('block', BLOCK, wide)
        )
        q_values, hidden = array('q_values', len(obs), self._A), hidden.copy()
        agent_forward(self._blas, obs, starts, hidden, self._weights, self._rows, self._scratch, q_values)
        return q_values, hidden

    def backward(self, obs: np.ndarray, starts: np.ndarray, grad_q: np.ndarray) -> None:
        """
        Overview:
            Add to the gradients, given the gradient of the Q-values of the last ``forward``.
        Shapes:
            - obs, starts: as given to ``forward``; grad_q: [R, A]
        """
        grad_hidden = self._work.array('grad_hidden', int(starts[1]), self._H)
        grad_hidden[:] = 0.
        agent_backward(
            self._blas, obs, starts, grad_q, self._weights, self._rows, self._scratch, grad_hidden, self._grads
        )
