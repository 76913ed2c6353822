"""The matrix products of a linear layer and of its way back, in float32 or bfloat16, on arrays that are there already."""
from typing import Dict

import torch
from torch import Tensor


class Products:
    """
    Overview:
        Products of rows x [R, I] with a layer's weight [O, I].
    Interfaces:
        ``forward``, ``grad_input``, ``add_grad_weight``, ``layer_backward``
    """

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor, out: Tensor) -> None:
        """out [R, O] = x @ weight.T + bias"""
        torch.addmm(bias, x, weight.t(), out=out)

    def grad_input(self, grad: Tensor, weight: Tensor, out: Tensor) -> None:
        """out [R, I] = grad [R, O] @ weight"""
        torch.mm(grad, weight, out=out)

    def add_grad_weight(self, grad: Tensor, x: Tensor, out: Tensor) -> None:
        """out [O, I] += grad.T @ x"""
        out.addmm_(grad.t(), x)

    def layer_backward(
            self, layer: torch.nn.Linear, grad: Tensor, x: Tensor, grad_of: Dict[Tensor, Tensor], grad_x_out: Tensor
    ) -> Tensor:
        """Add the gradients of a layer's parameters; write that of its input x and return it."""
        self.add_grad_weight(grad, x, grad_of[layer.weight])
        grad_of[layer.bias].add_(grad.sum(0))
        self.grad_input(grad, layer.weight, grad_x_out)
        return grad_x_out


class BFloat16Products(Products):
    """
    Overview:
        The same with both factors rounded to bfloat16, which processors with such units multiply several times faster;
        results are bfloat16 too, sums over tiles and all else stay float32.
    """

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor, out: Tensor) -> None:
        """As ``Products.forward``."""
        torch.add(torch.mm(x.bfloat16(), weight.bfloat16().t()), bias, out=out)

    def grad_input(self, grad: Tensor, weight: Tensor, out: Tensor) -> None:
        """As ``Products.grad_input``."""
        out.copy_(torch.mm(grad.bfloat16(), weight.bfloat16()))

    def add_grad_weight(self, grad: Tensor, x: Tensor, out: Tensor) -> None:
        """As ``Products.add_grad_weight``."""
        out.add_(torch.mm(grad.bfloat16().t(), x.bfloat16()))


def relu_backward(grad: Tensor, activation: Tensor) -> None:
    """Clear the gradient where the unit was off, in place."""
    torch.ops.aten.threshold_backward.grad_input(grad, activation, 0., grad_input=grad)
