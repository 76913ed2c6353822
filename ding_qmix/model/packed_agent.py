from typing import Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import Tensor

from ding_qmix.model.agent import RecurrentQNetwork
from ding_qmix.model.gru_kernel import BLOCK, gru_backward, gru_forward
from ding_qmix.model.products import Products, relu_backward
from ding_qmix.model.workspace import Workspace

_TILE = 1024  # [rows] that run through all layers together: their arrays stay in the second level cache


class PackedAgent:
    """
    Overview:
        ``RecurrentQNetwork`` (GRU, plain head) over packed rows on the CPU, forward and backward by hand: same parameters,
        same results, no graph. Rows are those of ``gru_kernel``: by time, longest sequence first, no padding.
        All layers run over one tile of time steps before the next, so that what is written is read from the cache.
    Interfaces:
        ``forward``, ``backward``
    """

    def __init__(self, agent: RecurrentQNetwork, products: Products) -> None:
        self._encoder = [layer for layer in agent.encoder if isinstance(layer, torch.nn.Linear)]
        self._rnn, self._head, self._products = agent.rnn, (agent.head.q[0], agent.head.q[2]), products
        self._work = Workspace()

    @torch.no_grad()
    def forward(self, obs: Tensor, starts: np.ndarray, hidden: Tensor) -> Tensor:
        """
        Overview:
            Compute all Q-values; they are valid until the next call.
        Shapes:
            - obs: [R, O]; starts: int64 [T + 2], first row of each time; hidden: [K, H] before step 0
            - returns: [R, A]
        """
        layers, work, H = self._activations(len(obs)), self._work, hidden.shape[1]
        encoded, before, after, gates, head_in, q_values = layers
        weight = self._rnn.weight_hh_l0.t().contiguous().numpy()  # [H, 3H]
        bias = self._rnn.bias_hh_l0.numpy()
        hidden = hidden.clone().numpy()
        scratch = work.array('scratch', BLOCK, 3 * H).numpy()
        for times, rows in _tiles(starts):
            x = obs[rows]
            for layer, out in zip(self._encoder, encoded):
                self._products.forward(x, layer.weight, layer.bias, out[rows])
                x = out[rows].relu_()
            inputs = work.array('inputs', len(x), 3 * H)
            self._products.forward(x, self._rnn.weight_ih_l0, self._rnn.bias_ih_l0, inputs)
            gru_forward(
                inputs.numpy(), weight, bias, times, hidden, *(a[rows].numpy() for a in (before, after, gates)), scratch
            )
            self._products.forward(after[rows], self._head[0].weight, self._head[0].bias, head_in[rows])
            torch.addmm(self._head[1].bias, head_in[rows].relu_(), self._head[1].weight.t(), out=q_values[rows])
        return q_values

    @torch.no_grad()
    def backward(self, obs: Tensor, starts: np.ndarray, grad_q: Tensor, grad_of: Dict[Tensor, Tensor]) -> None:
        """
        Overview:
            Add the gradients of the parameters, given those of the Q-values of the last ``forward``.
        Arguments:
            - obs, starts: as given to ``forward``
            - grad_q: [R, A]
            - grad_of: where each parameter's gradient is summed
        """
        encoded, before, after, gates, head_in, _ = self._activations(len(obs))
        H = after.shape[1]
        rnn, products, work = self._rnn, self._products, self._work
        weight = rnn.weight_hh_l0.numpy()  # [3H, H]
        grad_hidden = work.array('grad_hidden', int(starts[1]), H).zero_().numpy()
        for times, rows in reversed(list(_tiles(starts))):
            n_rows = rows.stop - rows.start
            grad, out = grad_q[rows], work.array('grad_head', n_rows, H)
            grad = products.layer_backward(self._head[1], grad, head_in[rows], grad_of, out)
            relu_backward(grad, head_in[rows])
            out = work.array('grad_after', n_rows, H)
            grad = products.layer_backward(self._head[0], grad, after[rows], grad_of, out)
            grad_inputs = work.array('grad_inputs', n_rows, 3 * H)
            grad_recurrent = work.array('grad_recurrent', n_rows, 3 * H)
            gru_backward(
                grad.numpy(), weight, times, before[rows].numpy(), gates[rows].numpy(), grad_hidden,
                grad_inputs.numpy(), grad_recurrent.numpy()
            )
            products.add_grad_weight(grad_recurrent, before[rows], grad_of[rnn.weight_hh_l0])
            grad_of[rnn.bias_hh_l0].add_(grad_recurrent.sum(0))
            products.add_grad_weight(grad_inputs, encoded[-1][rows], grad_of[rnn.weight_ih_l0])
            grad_of[rnn.bias_ih_l0].add_(grad_inputs.sum(0))
            grad = work.array('grad_encoded', n_rows, H)
            products.grad_input(grad_inputs, rnn.weight_ih_l0, grad)
            self._encoder_backward(obs[rows], [x[rows] for x in encoded], grad, grad_of)

    def _encoder_backward(
            self, obs: Tensor, encoded: List[Tensor], grad: Tensor, grad_of: Dict[Tensor, Tensor]
    ) -> None:
        """From the last layer's gradient to the first layer's weight; obs needs none."""
        inputs = [obs, *encoded[:-1]]
        for i in range(len(encoded) - 1, -1, -1):
            relu_backward(grad, encoded[i])
            if i > 0:
                out = self._work.array(f'grad_encoded_{i}', *inputs[i].shape)
                grad = self._products.layer_backward(self._encoder[i], grad, inputs[i], grad_of, out)
            else:
                self._products.add_grad_weight(grad, obs, grad_of[self._encoder[0].weight])
                grad_of[self._encoder[0].bias].add_(grad.sum(0))

    def _activations(self, n_rows: int) -> Tuple[List[Tensor], Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What ``forward`` leaves for ``backward``: encoder layers, hidden before and after, gates, head, Q-values."""
        H, A, array = self._rnn.hidden_size, self._head[1].out_features, self._work.array
        encoded = [array(f'encoded_{i}', n_rows, layer.out_features) for i, layer in enumerate(self._encoder)]
        shapes = {'before': H, 'after': H, 'gates': 4 * H, 'head': H, 'q_values': A}
        return (encoded, *(array(name, n_rows, width) for name, width in shapes.items()))


def _tiles(starts: np.ndarray) -> Iterator[Tuple[np.ndarray, slice]]:
    """Cut time into stretches of about ``_TILE`` rows: first rows of their times, counted from the tile's own first."""
    first, n_times = 0, len(starts) - 1
    while first < n_times:
        stop = max(first + 1, int(np.searchsorted(starts, starts[first] + _TILE, side='right')) - 1)
        yield starts[first:stop + 1] - starts[first], slice(int(starts[first]), int(starts[stop]))
        first = stop

