import torch
from torch import Tensor

from ding_qmix.model.layer_kernel import add_bias, bias_backward
from ding_qmix.model.products import Products


class PackedLayer:
    """
    Overview:
        A linear layer over rows, some of its units rectified, forward and backward by hand, on arrays that are there
        already. What hardly ever changes, such as transposed weights, is made once: every small operation of torch
        hands Python's lock to the other shards and has to wait for it again.
    Interfaces:
        ``forward``, ``backward``, ``grad_input``
    Properties:
        ``grad_weight``, ``grad_bias``
    """

    def __init__(self, weight: Tensor, bias: Tensor, n_rectified: int, products: Products) -> None:
        """
        Arguments:
            - weight, bias: parameters [O, I] and [O], which may change in place
            - n_rectified: the first units that go through ReLU
        """
        self._weight, self._transposed, self._bias = weight.detach(), weight.detach().t(), bias.detach().numpy()
        self._n_rectified, self._products = n_rectified, products
        self.grad_weight, self.grad_bias = torch.zeros_like(self._weight), torch.zeros_like(bias.detach())
        self._grad_bias = self.grad_bias.numpy()

    def forward(self, x: Tensor, out: Tensor) -> Tensor:
        """out [R, O] of x [R, I], which is a factor of ``Products``."""
        self._products.forward(x, self._transposed, out)
        add_bias(out.numpy(), self._bias, self._n_rectified)
        return out

    def backward(self, grad: Tensor, activation: Tensor, x: Tensor) -> Tensor:
        """
        Add the parameters' gradients, given that of the output, which is cleared where a unit was off, the output itself
        and the input, a factor. Return the gradient of the products as a factor.
        """
        bias_backward(grad.numpy(), activation.numpy(), self._n_rectified, self._grad_bias)
        grad = self._products.factor(grad)
        self._products.add_grad_weight(grad, x, self.grad_weight)
        return grad

    def grad_input(self, grad: Tensor, out: Tensor) -> Tensor:
        """out [R, I]: gradient of the input from that of the products, a factor."""
        return self._products.grad_input(grad, self._weight, out)
