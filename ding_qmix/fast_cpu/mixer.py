from collections.abc import Sequence
from typing import Optional

import numpy as np
from torch import Tensor

from ding_qmix.fast_cpu.blas import find_blas
from ding_qmix.fast_cpu.mixer_kernel import TILE, MixerParameters, MixerRows, mixer_backward, mixer_forward
from ding_qmix.fast_cpu.scratch import Workspace
from ding_qmix.model.mixer import QMixer


class PackedMixer:
    """
    Overview:
        ``QMixer`` over rows on the CPU, forward and backward by hand: same parameters, same results, no graph.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, mixer: QMixer, gradients: Optional[Sequence[Tensor]] = None) -> None:
        """
        Arguments:
            - gradients: what ``backward`` adds to, one a parameter; without them there is no way back
        """
        self._parameters, self._work, self._blas = list(mixer.parameters()), Workspace(), find_blas()
        self._grads = None if gradients is None else MixerParameters(*(g.numpy() for g in gradients))
        self._given_widths = (mixer.n_agents, mixer.state_dim)  # of agent_q and state
        E, n_first, n_w1 = mixer.embed_dim, len(mixer.state_layer.weight), len(mixer.w1_layer.weight)
        self._widths = dict(first=n_first, w1=n_w1, w_final=E, v=1, hidden=E)

    def forward(self, agent_q: np.ndarray, state: np.ndarray) -> np.ndarray:
        """
        Overview:
            Mix the agents' values.
        Shapes:
            - agent_q: [R, N]; state: [R, S]
            - returns: Q_tot [R], valid until the next call
        Raises:
            - ValueError: the last axes are not N and S
        """
        if (agent_q.shape[1], state.shape[1]) != self._given_widths:
            raise ValueError(
                f'PackedMixer: agent_q is of {agent_q.shape[1]} agents and state has {state.shape[1]} features, '
                f'expected {self._given_widths}; build the model from the spec of the map'
            )
        self._weights = MixerParameters(*(p.detach().numpy() for p in self._parameters))
        self._rows = MixerRows(**{name: self._work.array(name, len(state), n) for name, n in self._widths.items()})
        q_tot = self._work.array('q_tot', len(state))
        mixer_forward(self._blas, agent_q, state, self._weights, self._rows, q_tot)
        return q_tot

    def backward(self, agent_q: np.ndarray, state: np.ndarray, grad_q_tot: np.ndarray) -> np.ndarray:
        """
        Overview:
            Add to the gradients, given the gradient of the last ``forward``'s Q_tot.
        Shapes:
            - agent_q, state: as given to ``forward``; grad_q_tot: [R]
            - returns: gradient of agent_q, [R, N], valid until the next call
        """
        grad_q = self._work.array('grad_q', *agent_q.shape)
        grad_first = self._work.array('grad_first', TILE, self._widths['first'])
        scratch = self._work.array('scratch', self._widths['hidden'])
        mixer_backward(
            self._blas, agent_q, state, grad_q_tot[:, None], self._weights, self._rows, grad_first, scratch,
            self._grads, grad_q
        )
        return grad_q
