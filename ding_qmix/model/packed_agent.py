from typing import Iterator, List, Tuple

import numpy as np
import torch
from torch import Tensor

from ding_qmix.model.agent import QHead, RecurrentQNetwork
from ding_qmix.model.kernel import JIT
from ding_qmix.model.packed_gru import Kept, PackedGRU
from ding_qmix.model.packed_layer import PackedLayer
from ding_qmix.model.products import Products
from ding_qmix.model.workspace import Workspace

_TILE = 2048  # [rows] that run through all layers together: most of their arrays stay in the second level cache


def can_pack_agent(agent: torch.nn.Module) -> bool:
    """Say whether a network has the layers that are written by hand, GRU and plain head, in float32 on the CPU."""
    return (
        JIT and type(agent) is RecurrentQNetwork and type(agent.rnn) is torch.nn.GRU and type(agent.head) is QHead
        and all(p.dtype == torch.float32 and p.device.type == 'cpu' for p in agent.parameters())
    )


class PackedAgent:
    """
    Overview:
        ``RecurrentQNetwork`` (GRU, plain head) over packed rows on the CPU, forward and backward by hand: same parameters,
        same results, no graph. Rows are those of ``gru_kernel``: by time, longest sequence first, no padding.
        All layers run over one tile of time steps before the next, so that what is written is read from the cache.
    Interfaces:
        ``forward``, ``backward``
    Properties:
        ``gradients``
    """

    def __init__(self, agent: RecurrentQNetwork, products: Products) -> None:
        """
        Arguments:
            - agent: a network for which ``can_pack_agent`` holds
        """
        self._agent, self._products, self._work = agent, products, Workspace()
        self._H, self._A = agent.hidden_dim, agent.head.q[2].out_features
        self._parameters = list(agent.parameters())
        self._places: List[int] = []  # of the parameters in memory

    def _build(self) -> None:
        """Make the layers around the parameters, and again if those have moved in memory."""
        places = [p.data_ptr() for p in self._parameters]
        if places == self._places:
            return
        linears = [layer for layer in self._agent.encoder if isinstance(layer, torch.nn.Linear)]
        self._encoder = [PackedLayer(x.weight, x.bias, x.out_features, self._products) for x in linears]
        self._widths = [x.out_features for x in linears]
        self._rnn = PackedGRU(self._agent.rnn, self._products)
        first, _, last = self._agent.head.q
        self._head = PackedLayer(first.weight, first.bias, first.out_features, self._products)
        self._last = PackedLayer(last.weight, last.bias, 0, Products())  # too narrow to gain by another type
        self._places = places

    @property
    def gradients(self) -> List[Tensor]:
        """What ``backward`` adds to, in the order of the network's parameters."""
        layers = [*self._encoder, self._head, self._last]
        grads = [g for layer in layers for g in (layer.grad_weight, layer.grad_bias)]
        return [*grads[:-4], *self._rnn.gradients, *grads[-4:]]

    @torch.no_grad()
    def forward(
            self, obs: Tensor, starts: np.ndarray, hidden: Tensor, for_backward: bool = False
    ) -> Tuple[Tensor, Tensor]:
        """
        Overview:
            Compute all Q-values, which are valid until the next call, and the hidden states in the end.
        Arguments:
            - for_backward: keep what ``backward`` needs
        Shapes:
            - obs: [R, O], a factor of ``Products``; starts: int64 [T + 2], first row of each time; hidden: [K, H] before
              step 0
            - returns: [R, A] and [K, H]
        """
        self._build()
        q_values, hidden = self._work.array('q_values', obs.shape[0], self._A), hidden.clone()
        for times, rows in _tiles(starts):
            kept = self._kept(obs.shape[0], rows) if for_backward else self._kept(rows.stop - rows.start, slice(None))
            x = obs[rows]
            for layer, out in zip(self._encoder, kept.encoded):
                x = self._products.factor(layer.forward(x, out))
            self._rnn.forward(x, times, hidden, kept)
            self._head.forward(self._products.factor(kept.after), kept.head)
            self._last.forward(kept.head, q_values[rows])
        return q_values, hidden

    @torch.no_grad()
    def backward(self, obs: Tensor, starts: np.ndarray, grad_q: Tensor) -> None:
        """
        Overview:
            Add to ``gradients``, given the gradient of the Q-values of the last ``forward``.
        Shapes:
            - obs, starts: as given to ``forward``; grad_q: [R, A]
        """
        array, factor = self._work.array, self._products.factor
        grad_hidden = array('grad_hidden', int(starts[1]), self._H).zero_()
        for times, rows in reversed(list(_tiles(starts))):
            kept = self._kept(obs.shape[0], rows)
            shape = kept.head.shape
            grad = self._last.backward(grad_q[rows], kept.head, kept.head)
            grad = self._last.grad_input(grad, array('grad_head', *shape))
            grad = self._head.backward(grad, kept.head, factor(kept.after))
            grad = self._head.grad_input(grad, array('grad_after', *shape))
            grad = self._rnn.backward(grad, times, grad_hidden, kept, array('grad_encoded', *shape))
            self._encoder_backward(obs[rows], kept, grad)

    def _encoder_backward(self, obs: Tensor, kept: Kept, grad: Tensor) -> None:
        """From the last layer's gradient to the first layer's weight; obs needs none."""
        inputs = [obs, *kept.encoded[:-1]]
        for i in range(len(inputs) - 1, -1, -1):
            grad = self._encoder[i].backward(grad, kept.encoded[i], self._products.factor(inputs[i]))
            if i > 0:
                grad = self._encoder[i].grad_input(grad, self._work.array(f'grad_encoded_{i}', *inputs[i].shape))

    def _kept(self, n_rows: int, rows: slice) -> Kept:
        """Some of the rows of the arrays that lie between the layers."""
        array = self._work.array
        encoded = [array(f'encoded_{i}', n_rows, width)[rows] for i, width in enumerate(self._widths)]
        widths = {'before': self._H, 'after': self._H, 'gates': 4 * self._H, 'head': self._H}
        return Kept(encoded, *(array(name, n_rows, width)[rows] for name, width in widths.items()))


def _tiles(starts: np.ndarray) -> Iterator[Tuple[np.ndarray, slice]]:
    """Cut time into stretches of about ``_TILE`` rows: first rows of their times, counted from the tile's own first."""
    first, n_times = 0, len(starts) - 1
    while first < n_times:
        stop = max(first + 1, int(np.searchsorted(starts, starts[first] + _TILE, side='right')) - 1)
        yield starts[first:stop + 1] - starts[first], slice(int(starts[first]), int(starts[stop]))
        first = stop
