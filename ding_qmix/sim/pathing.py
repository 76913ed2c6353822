"""Pathing on a map: who can stand where, and which way leads round what is in the way."""
import math
from functools import cache
from typing import NamedTuple

import numpy as np

from ding_qmix.numba_kernel import allocating_kernel, kernel
from ding_qmix.sim.unit_types import CLIMBS, FLIES, WALKS
from ding_qmix.smac.terrain import MAP_SIZE, WINDING, cliff_grid, pathing_grid

STRAIGHT = -1  # in ``route``: nothing is in the way
N_CELLS = MAP_SIZE * MAP_SIZE


class PathingMap(NamedTuple):
    """Where units can walk, shared by all battles on a map; cell (i, j) has the number i * MAP_SIZE + j."""
    footing: np.ndarray  # int8 [MAP_SIZE, MAP_SIZE]: WALKS (all units), CLIMBS (cliff walkers) or FLIES (fliers only)
    route: np.ndarray  # int16 [from cell, to cell]: STRAIGHT, or the cell to walk to first; [1, 1] where none is needed


@cache
def make_pathing_map(terrain: str) -> PathingMap:
    """Lay the pathing of a terrain out, with the ways between all its cells where the straight one may be blocked."""
    pathable = pathing_grid(terrain)
    footing = np.where(pathable, WALKS, np.where(cliff_grid(terrain), CLIMBS, FLIES)).astype(np.int8)
    none = np.full((1, 1), STRAIGHT, dtype=np.int16)
    return PathingMap(footing, find_routes(pathable) if terrain in WINDING else none)


@allocating_kernel
def find_routes(pathable: np.ndarray) -> np.ndarray:
    """
    Overview:
        Find for each pair of cells the farthest cell in sight on the shortest way from one to the other.

        Steps lead to the eight neighbours, never past the corner of a blocked cell. The way to a blocked cell is the
        way to the pathable one nearest to it.
    Shapes:
        - pathable: bool [MAP_SIZE, MAP_SIZE]
        - returns: int16 [N_CELLS, N_CELLS], [from, to], a cell or STRAIGHT
    """
    route = np.full((N_CELLS, N_CELLS), STRAIGHT, dtype=np.int16)
    length, after = np.empty(N_CELLS), np.empty(N_CELLS, dtype=np.int16)
    for goal in range(N_CELLS):
        end = _nearest_pathable(pathable, goal)
        if end != goal:
            continue
        _measure_ways(pathable, goal, length, after)
        for start in range(N_CELLS):
            if length[start] == math.inf or _in_sight(pathable, start, goal):
                continue
            via = after[start]
            while _in_sight(pathable, start, after[via]):
                via = after[via]
            route[start, goal] = via
    for goal in range(N_CELLS):
        end = _nearest_pathable(pathable, goal)
        if end != goal:
            route[:, goal] = route[:, end]
    return route


@kernel
def _nearest_pathable(pathable: np.ndarray, cell: int) -> int:
    """Return the pathable cell nearest to a cell."""
    best, best_square = cell, math.inf
    for other in range(N_CELLS):
        if pathable[other // MAP_SIZE, other % MAP_SIZE]:
            dx, dy = other // MAP_SIZE - cell // MAP_SIZE, other % MAP_SIZE - cell % MAP_SIZE
            if dx * dx + dy * dy < best_square:
                best, best_square = other, float(dx * dx + dy * dy)
    return best


@kernel
def _measure_ways(pathable: np.ndarray, goal: int, length_out: np.ndarray, after_out: np.ndarray) -> None:
    """Write the length of the shortest way from each cell to the goal, and the cell after it on that way."""
    length_out[:] = math.inf
    after_out[:] = STRAIGHT
    length_out[goal] = 0.
    changed = True
    while changed:
        changed = False
        for cell in range(N_CELLS):
            x, y = cell // MAP_SIZE, cell % MAP_SIZE
            if not pathable[x, y]:
                continue
            for k in range(9):
                i, j = x + k // 3 - 1, y + k % 3 - 1
                if i < 0 or j < 0 or i >= MAP_SIZE or j >= MAP_SIZE or not (pathable[i, y] and pathable[x, j]):
                    continue
                way = length_out[i * MAP_SIZE + j] + math.sqrt(float((i - x) ** 2 + (j - y) ** 2))
                if pathable[i, j] and way < length_out[cell] - 1e-9:
                    length_out[cell], after_out[cell] = way, i * MAP_SIZE + j
                    changed = True


@kernel
def _in_sight(pathable: np.ndarray, a: int, b: int) -> bool:
    """Return whether the line between the centres of two cells touches pathable cells only, corners included."""
    x, y, end_x, end_y = a // MAP_SIZE, a % MAP_SIZE, b // MAP_SIZE, b % MAP_SIZE
    dx, dy = abs(end_x - x), abs(end_y - y)
    step_x, step_y = (1 if end_x > x else -1), (1 if end_y > y else -1)
    across_x, across_y = 1, 1  # the next border crossed, in units of 1/2 cell along x and y
    while x != end_x or y != end_y:
        first = across_x * dy - across_y * dx  # compares across_x / dx with across_y / dy
        if first == 0:
            if not (pathable[x + step_x, y] and pathable[x, y + step_y]):
                return False
        if first <= 0:
            x += step_x
            across_x += 2
        if first >= 0:
            y += step_y
            across_y += 2
        if not pathable[x, y]:
            return False
    return True
