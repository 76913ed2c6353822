from collections.abc import Sequence

import torch
from torch import Tensor


class FlatParameters:
    """
    Overview:
        A network's parameters as one vector, of which they become views, and likewise their gradients: the optimiser,
        the norm and the target network each take one operation instead of one per parameter.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        parameters = list(network.parameters())
        self.buffers = list(network.buffers())  # such as batch norm's
        self.vector = torch.nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))  # [P]
        self.gradient = self.vector.grad = torch.zeros_like(self.vector)  # [P]
        views, gradients = split_like(self.vector.detach(), parameters), split_like(self.gradient, parameters)
        for parameter, view, gradient in zip(parameters, views, gradients):
            parameter.data = view
            parameter.grad = gradient if parameter.requires_grad else None


def split_like(vector: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Views of a vector [P] in the shapes of the parameters."""
    parts = vector.split([p.numel() for p in parameters])
    return [part.view_as(p) for part, p in zip(parts, parameters)]
