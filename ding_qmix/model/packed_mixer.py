from typing import Dict, Tuple

import torch
from torch import Tensor

from ding_qmix.model.mixer import QMixer
from ding_qmix.model.mixer_kernel import mix_backward, mix_forward
from ding_qmix.model.products import Products, relu_backward
from ding_qmix.model.workspace import Workspace

_TILE = 256  # [rows] that run through all layers together; a row's mixing weights are N * E wide


class PackedMixer:
    """
    Overview:
        ``QMixer`` over rows on the CPU, forward and backward by hand: same parameters, same results, no graph.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, mixer: QMixer, products: Products) -> None:
        self._mixer, self._products = mixer, products
        self._work = Workspace()
        H, E = mixer.w1_layer.in_features, mixer.embed_dim
        self._to_w1, self._to_w_final, self._to_v = slice(0, H), slice(H, 2 * H), slice(2 * H, 2 * H + E)
        self._rectified, self._b1 = slice(0, 2 * H + E), slice(2 * H + E, 2 * H + 2 * E)

    @torch.no_grad()
    def forward(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """agent_q [R, N], state [R, S] -> Q_tot [R], valid until the next call"""
        mixer, forward = self._mixer, self._products.forward
        first, w1, w_final, hidden = self._activations(len(state))
        v, q_tot = self._work.array('v', len(state), 1), self._work.array('q_tot', len(state))
        for tile in _tiles(len(state)):
            x = first[tile]
            forward(state[tile], mixer.state_layer.weight, mixer.state_layer.bias, x)
            x[:, self._rectified].relu_()
            forward(x[:, self._to_w1], mixer.w1_layer.weight, mixer.w1_layer.bias, w1[tile])
            forward(x[:, self._to_w_final], mixer.w_final_layer.weight, mixer.w_final_layer.bias, w_final[tile])
            torch.addmm(mixer.v_layer.bias, x[:, self._to_v], mixer.v_layer.weight.t(), out=v[tile])
            arrays = (agent_q[tile], w1[tile], x[:, self._b1], w_final[tile], v[tile], hidden[tile], q_tot[tile])
            mix_forward(*(a.numpy() for a in arrays))
        return q_tot

    @torch.no_grad()
    def backward(self, agent_q: Tensor, state: Tensor, grad_q_tot: Tensor, grad_of: Dict[Tensor, Tensor]) -> Tensor:
        """
        Overview:
            Add the gradients of the parameters, given those of the last ``forward``'s Q_tot.
        Arguments:
            - agent_q, state: as given to ``forward``
            - grad_q_tot: [R]
            - grad_of: where each parameter's gradient is summed
        Returns:
            - grad_q: [R, N], valid until the next call
        """
        mixer = self._mixer
        first, w1, w_final, hidden = self._activations(len(state))
        grad_q = self._work.array('grad_q', *agent_q.shape)
        scratch = self._work.array('scratch', mixer.embed_dim)
        for tile in _tiles(len(state)):
            x = first[tile]
            grad = self._work.array('grad_first', *x.shape)
            arrays = (grad_q_tot[tile], agent_q[tile], hidden[tile], w1[tile], w_final[tile], grad[:, self._b1], scratch,
                      grad_q[tile])
            mix_backward(*(a.numpy() for a in arrays))
            heads = (
                (mixer.w1_layer, w1[tile], self._to_w1),
                (mixer.w_final_layer, w_final[tile], self._to_w_final),
                (mixer.v_layer, grad_q_tot[tile].unsqueeze(1), self._to_v),
            )
            for layer, grad_out, columns in heads:
                self._products.layer_backward(layer, grad_out, x[:, columns], grad_of, grad[:, columns])
            relu_backward(grad[:, self._rectified], x[:, self._rectified])
            self._products.add_grad_weight(grad, state[tile], grad_of[mixer.state_layer.weight])
            grad_of[mixer.state_layer.bias].add_(grad.sum(0))
        return grad_q

    def _activations(self, n_rows: int) -> Tuple[Tensor, ...]:
        """What ``forward`` leaves for ``backward``: hypernetworks' first layers, weights of both layers, hidden layer."""
        E = self._mixer.embed_dim
        widths = {'first': self._b1.stop, 'w1': self._mixer.n_agents * E, 'w_final': E, 'hidden': E}
        return tuple(self._work.array(name, n_rows, width) for name, width in widths.items())


def _tiles(n_rows: int) -> Tuple[slice, ...]:
    return tuple(slice(first, min(first + _TILE, n_rows)) for first in range(0, n_rows, _TILE))
