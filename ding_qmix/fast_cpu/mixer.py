from collections.abc import Mapping
from typing import Optional

import numpy as np
from torch import Tensor

from ding_qmix.fast_cpu.mixer_kernel import (
    MIXER_PARAMETER_NAMES,
    TILE,
    MixerParameters,
    MixerRows,
    mixer_backward,
    mixer_forward,
)
from ding_qmix.fast_cpu.scratch_arrays import ScratchArrays
from ding_qmix.model import QMixer


class CPUMixer:
    """
    Overview:
        ``QMixer`` over rows by kernels, forward and backward: same parameters, same results, no graph. For mixers that
        ``why_not_mixer`` has nothing against.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, mixer: QMixer, gradients: Optional[Mapping[str, Tensor]] = None) -> None:
        """
        Arguments:
            - gradients: what ``backward`` adds to, by the parameters' names; without them there is no backward pass
        """
        self._parameters, self._scratch_arrays = dict(mixer.named_parameters()), ScratchArrays()
        self._grads = None if gradients is None else _arrays(gradients)
        self._given_widths = (mixer.n_agents, mixer.state_dim)  # of agent_q and state
        E, names = mixer.embed_dim, MIXER_PARAMETER_NAMES
        n_first, n_w1 = len(self._parameters[names['state_weight']]), len(self._parameters[names['w1_weight']])
        self._row_widths = dict(first=n_first, w1=n_w1, w_final=E, v=1, hidden=E)

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
                f'CPUMixer: agent_q is of {agent_q.shape[1]} agents and state has {state.shape[1]} features, '
                f'expected {self._given_widths}; build the model from the spec of the map'
            )
        array = self._scratch_arrays.array
        self._weights = _arrays(self._parameters)
        self._rows = MixerRows(**{name: array(name, len(state), n) for name, n in self._row_widths.items()})
        q_tot = array('q_tot', len(state))
        mixer_forward(agent_q, state, self._weights, self._rows, q_tot)
        return q_tot

    def backward(self, agent_q: np.ndarray, state: np.ndarray, grad_q_tot: np.ndarray) -> np.ndarray:
        """
        Overview:
            Add to the gradients, given the gradient of the last ``forward``'s Q_tot.
        Shapes:
            - agent_q, state: as given to ``forward``; grad_q_tot: [R]
            - returns: gradient of agent_q, [R, N], valid until the next call
        """
        array = self._scratch_arrays.array
        grad_q, scratch = array('grad_q', *agent_q.shape), array('scratch', self._row_widths['hidden'])
        grad_first = array('grad_first', TILE, self._row_widths['first'])
        mixer_backward(
            agent_q, state, grad_q_tot[:, None], self._weights, self._rows, grad_first, scratch, self._grads, grad_q
        )
        return grad_q


def _arrays(tensors: Mapping[str, Tensor]) -> MixerParameters:
    """Tensors by the parameters' names as the kernels take them."""
    return MixerParameters(**{field: tensors[name].detach().numpy() for field, name in MIXER_PARAMETER_NAMES.items()})
