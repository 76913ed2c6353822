import numpy as np

from ding_qmix.smac.terrain import MAP_SIZE

VIEW_MARGIN = 2  # [map units] shown around the cells that can be walked on


def map_extent(grid: np.ndarray) -> tuple[int, int, int, int]:
    """Return what is shown of a map with these pathable cells bool [x, y]: left, right, bottom, top, [map units]."""
    return *_extent(grid.any(axis=1)), *_extent(grid.any(axis=0))


def _extent(occupied: np.ndarray) -> tuple[int, int]:
    """Return the first and one past the last of the occupied rows, with a margin, [map units]."""
    used = np.flatnonzero(occupied)
    return max(0, int(used[0]) - VIEW_MARGIN), min(MAP_SIZE, int(used[-1]) + 1 + VIEW_MARGIN)
