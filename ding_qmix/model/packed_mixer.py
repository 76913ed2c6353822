from typing import List, Tuple

import torch
from torch import Tensor

from ding_qmix.model.mixer import QMixer
from ding_qmix.model.mixer_kernel import mix_backward, mix_forward
from ding_qmix.model.packed_layer import PackedLayer
from ding_qmix.model.products import Products
from ding_qmix.model.workspace import Workspace

_TILE = 512  # [rows] that run through all layers together


class PackedMixer:
    """
    Overview:
        ``QMixer`` over rows on the CPU, forward and backward by hand: same parameters, same results, no graph.
    Interfaces:
        ``forward``, ``backward``
    Properties:
        ``gradients``
    """

    def __init__(self, mixer: QMixer, products: Products) -> None:
        self._mixer, self._products, self._work = mixer, products, Workspace()
        H, E = mixer.w1_layer.in_features, mixer.embed_dim
        self._E, self._width = E, 2 * H + 2 * E  # the first layer's last E columns are b1
        self._columns = (slice(0, H), slice(H, 2 * H), slice(2 * H, 2 * H + E))  # of the first layer, by hypernetwork
        self._w1_width = mixer.n_agents * E
        self._parameters = list(mixer.parameters())
        self._places: List[int] = []  # of the parameters in memory

    def _build(self) -> None:
        """Make the layers around the parameters, and again if those have moved in memory."""
        mixer, places = self._mixer, [p.data_ptr() for p in self._parameters]
        if places == self._places:
            return
        n_rectified = self._width - self._E
        self._first = PackedLayer(mixer.state_layer.weight, mixer.state_layer.bias, n_rectified, self._products)
        hypernets = (mixer.w1_layer, mixer.w_final_layer, mixer.v_layer)
        self._hypernets = [PackedLayer(x.weight, x.bias, 0, self._products) for x in hypernets]
        self._places = places

    @property
    def gradients(self) -> List[Tensor]:
        """What ``backward`` adds to, in the order of the mixer's parameters."""
        return [g for layer in (self._first, *self._hypernets) for g in (layer.grad_weight, layer.grad_bias)]

    @torch.no_grad()
    def forward(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """agent_q [R, N], state [R, S], a factor of ``Products`` -> Q_tot [R], valid until the next call"""
        self._build()
        n_rows = state.shape[0]
        kept, hidden = self._kept(n_rows), self._work.array('hidden', n_rows, self._E)
        q_tot = self._work.array('q_tot', n_rows)
        for tile in _tiles(n_rows):
            first, w1, w_final, v = (a[tile] for a in kept)
            self._first.forward(state[tile], first)
            for layer, columns, out in zip(self._hypernets, self._columns, (w1, w_final, v)):
                layer.forward(self._products.factor(first[:, columns]), out)
            arrays = (agent_q[tile], w1, first, w_final, v, hidden[tile], q_tot[tile])
            mix_forward(*(a.numpy() for a in arrays))
        return q_tot

    @torch.no_grad()
    def backward(self, agent_q: Tensor, state: Tensor, grad_q_tot: Tensor) -> Tensor:
        """
        Overview:
            Add to ``gradients``, given the gradient of the last ``forward``'s Q_tot.
        Shapes:
            - agent_q, state: as given to ``forward``; grad_q_tot: [R]
            - returns: gradient of agent_q, [R, N], valid until the next call
        """
        kept, hidden = self._kept(state.shape[0]), self._work.array('hidden', state.shape[0], self._E)
        grad_q, scratch = self._work.array('grad_q', *agent_q.shape), self._work.array('scratch', self._E)
        for tile in _tiles(state.shape[0]):
            first, w1, w_final, _ = (a[tile] for a in kept)
            grad = self._work.array('grad_first', *first.shape)
            arrays = (grad_q_tot[tile], agent_q[tile], hidden[tile], w1, w_final, grad, scratch, grad_q[tile])
            mix_backward(*(a.numpy() for a in arrays))
            grads_out = (w1, w_final, grad_q_tot[tile].unsqueeze(1))
            for layer, columns, grad_out in zip(self._hypernets, self._columns, grads_out):
                grad_out = layer.backward(grad_out, grad_out, self._products.factor(first[:, columns]))
                layer.grad_input(grad_out, grad[:, columns])
            self._first.backward(grad, first, state[tile])
        return grad_q

    def _kept(self, n_rows: int) -> Tuple[Tensor, ...]:
        """What ``forward`` leaves for ``backward``: hypernetworks' first layers, weights of both layers, V."""
        widths = {'first': self._width, 'w1': self._w1_width, 'w_final': self._E, 'v': 1}
        return tuple(self._work.array(name, n_rows, width) for name, width in widths.items())


def _tiles(n_rows: int) -> Tuple[slice, ...]:
    return tuple(slice(first, min(first + _TILE, n_rows)) for first in range(0, n_rows, _TILE))
