from typing import List, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ding_qmix.model.gru_kernel import BLOCK, gru_backward, gru_forward
from ding_qmix.model.products import Products
from ding_qmix.model.workspace import Workspace


class Kept(NamedTuple):
    """Rows between the layers of the agents' network, kept for the way back."""
    encoded: List[Tensor]  # [R, width of the layer] each
    before: Tensor  # [R, H], hidden state before the step
    after: Tensor  # [R, H]
    gates: Tensor  # [R, 4H], see gru_kernel
    head: Tensor  # [R, H], the head's hidden layer


class PackedGRU:
    """
    Overview:
        ``torch.nn.GRU`` of one layer over packed rows, forward and backward by hand: products with the inputs of all steps
        are one, the recurrence is a kernel (``gru_kernel``).
    Interfaces:
        ``forward``, ``backward``
    Properties:
        ``gradients``
    """

    def __init__(self, rnn: torch.nn.GRU, products: Products) -> None:
        self._weight, self._recurrent = rnn.weight_ih_l0.detach(), rnn.weight_hh_l0.detach()  # [3H, H] both
        self._transposed, self._recurrent_transposed = self._weight.t(), self._recurrent.t()
        self._biases = (rnn.bias_ih_l0.detach().numpy(), rnn.bias_hh_l0.detach().numpy())
        self._products, self._work = products, Workspace()
        self._scratch = torch.empty(BLOCK, len(self._weight))
        self.gradients = [torch.zeros_like(p.detach()) for p in rnn.parameters()]  # weights and biases, inputs first
        self._grad_biases = [g.numpy() for g in self.gradients[2:]]

    def forward(self, x: Tensor, times: np.ndarray, hidden: Tensor, kept: Kept) -> None:
        """x [R, X], a factor; times int64 [T + 1]; hidden [K, H] is moved on; writes kept.before, after, gates."""
        inputs = self._products.forward(x, self._transposed, self._work.array('inputs', x.shape[0], len(self._weight)))
        weight = self._recurrent_transposed.contiguous()  # [H, 3H]
        states = (hidden, kept.before, kept.after, kept.gates, self._scratch)
        gru_forward(
            inputs.numpy(), self._biases[0], weight.numpy(), self._biases[1], times, *(a.numpy() for a in states)
        )

    def backward(self, grad_after: Tensor, times: np.ndarray, grad_hidden: Tensor, kept: Kept, out: Tensor) -> Tensor:
        """
        Add to ``gradients``, given that of the states after each step, [R, H]; grad_hidden [K, H] is moved back. Write the
        gradient of the inputs to out [R, X].
        """
        products, factor, shape = self._products, self._products.factor, (grad_after.shape[0], len(self._weight))
        grad_inputs, grad_recurrent = (self._work.array(name, *shape) for name in ('inputs', 'grad_recurrent'))
        states = (kept.before, kept.gates, grad_hidden, grad_inputs, grad_recurrent)
        gru_backward(
            grad_after.numpy(), self._recurrent.numpy(), times, *(a.numpy() for a in states), *self._grad_biases
        )
        products.add_grad_weight(factor(grad_recurrent), factor(kept.before), self.gradients[1])
        grad = factor(grad_inputs)
        products.add_grad_weight(grad, factor(kept.encoded[-1]), self.gradients[0])
        return products.grad_input(grad, self._weight, out)
