"""The matrix products of a linear layer and of its way back, in float32 or bfloat16, on arrays that are there already."""
import torch
from torch import Tensor


class Products:
    """
    Overview:
        Products of rows x [R, I] with a layer's weight [O, I]. Rows must have gone through ``factor`` first; what is
        written is float32.
    Interfaces:
        ``factor``, ``forward``, ``grad_input``, ``add_grad_weight``
    """

    def factor(self, rows: Tensor) -> Tensor:
        """Return rows in the type in which they are multiplied."""
        return rows

    def forward(self, x: Tensor, transposed: Tensor, out: Tensor) -> Tensor:
        """out [R, O] = x @ transposed [I, O]"""
        return torch.mm(x, transposed, out=out)

    def grad_input(self, grad: Tensor, weight: Tensor, out: Tensor) -> Tensor:
        """out [R, I] = grad [R, O] @ weight"""
        return torch.mm(grad, weight, out=out)

    def add_grad_weight(self, grad: Tensor, x: Tensor, out: Tensor) -> None:
        """out [O, I] += grad.T @ x"""
        out.addmm_(grad.t(), x)


class BFloat16Products(Products):
    """
    Overview:
        The same with both factors rounded to bfloat16, which processors with such units multiply several times faster;
        each product is rounded too, sums over tiles and all else stay float32.
    """

    def factor(self, rows: Tensor) -> Tensor:
        """As ``Products.factor``."""
        return rows.bfloat16()

    def forward(self, x: Tensor, transposed: Tensor, out: Tensor) -> Tensor:
        """As ``Products.forward``."""
        return out.copy_(torch.mm(x, transposed.bfloat16()))

    def grad_input(self, grad: Tensor, weight: Tensor, out: Tensor) -> Tensor:
        """As ``Products.grad_input``."""
        return out.copy_(torch.mm(grad, weight.bfloat16()))

    def add_grad_weight(self, grad: Tensor, x: Tensor, out: Tensor) -> None:
        """As ``Products.add_grad_weight``."""
        out.add_(torch.mm(grad.t(), x))
