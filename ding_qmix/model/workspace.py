import math
from typing import Dict

import torch
from torch import Tensor


class Workspace:
    """
    Overview:
        Named float32 arrays that are kept between updates: fresh memory costs a page fault for every 4 KiB, which is as
        slow as the arithmetic on it.
    Interfaces:
        ``array``
    """

    def __init__(self) -> None:
        self._buffers: Dict[str, Tensor] = {}

    def array(self, name: str, *shape: int) -> Tensor:
        """Return the array of that name, at least as long as ever asked for; its content is what was left in it."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < size:
            buffer = self._buffers[name] = torch.empty(size + size // 4)
        return buffer[:size].view(shape)
