import math

import numpy as np


class ScratchArrays:
    """
    Overview:
        Named float32 arrays that are kept between updates: fresh memory costs a page fault for every 4 KiB, which is as
        slow as the arithmetic on it.
    Interfaces:
        ``array``
    """

    def __init__(self) -> None:
        self._buffers: dict[str, np.ndarray] = {}
        self._views: dict[str, np.ndarray] = {}  # the arrays as asked for last, since most are asked for again

    def array(self, name: str, *shape: int) -> np.ndarray:
        """Return the array of that name, at least as long as ever asked for; its content is what was left in it."""
        view = self._views.get(name)
        if view is None or view.shape != shape:
            view = self._views[name] = self._new_view(name, shape)
        return view

    def _new_view(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape[0] < size:
            buffer = self._buffers[name] = np.empty(size + size // 4, dtype=np.float32)
        return buffer[:size].reshape(shape)
