"""Units that overlap push one another apart. Kernels over one battle."""
import math

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, inner_kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.movement import SAME_PLACE, shift
from ding_qmix.sim.state import (
    LIVING_RADIUS,
    LIVING_X,
    LIVING_Y,
    OVERLAPS,
    STANCE,
    STEP_X,
    STEP_Y,
    STILL,
    TURN,
    WALKING,
    Battle,
)
from ding_qmix.sim.unit_tables import MAX_SPEED, SEPARATION, UnitTables
from ding_qmix.smac.units import HEALTH, X, Y


@inner_kernel
def separate(battle: Battle, tables: UnitTables, calibration: Calibration, n_turn: int) -> None:
    """Push apart the living units (among the first n_turn of ``turn``) that overlap, pair by pair in order of turn."""
    n = _gather(battle, tables, n_turn)
    turn, overlaps, unit, floats = battle.ints[TURN], battle.ints[OVERLAPS], battle.unit, battle.floats
    for a in range(n - 1):
        if not _find_overlaps(floats, overlaps, a, n):
            continue
        i = turn[a]
        for b in range(a + 1, n):
            if not overlaps[b]:
                continue
            j = turn[b]
            reach = tables.reach[i, j]
            dx, dy = unit[X, i] - unit[X, j], unit[Y, i] - unit[Y, j]
            square = dx * dx + dy * dy
            if square < reach * reach:
                _part(battle, tables, calibration, i, j, dx, dy, math.sqrt(square))
                floats[LIVING_X, b], floats[LIVING_Y, b] = unit[X, j], unit[Y, j]


@inline_kernel
def _gather(battle: Battle, tables: UnitTables, n_turn: int) -> int:
    """Write the places of the living into ``floats``, drop the dead from ``turn``; return how many live."""
    turn, floats, n = battle.ints[TURN], battle.floats, 0
    for k in range(n_turn):
        u = turn[k]
        if battle.unit[HEALTH, u] > 0.:
            turn[n] = u
            floats[LIVING_X, n], floats[LIVING_Y, n] = battle.unit[X, u], battle.unit[Y, u]
            floats[LIVING_RADIUS, n] = tables.stats[SEPARATION, u]
            n += 1
    return n


@inline_kernel
def _find_overlaps(floats: np.ndarray, overlaps_out: np.ndarray, a: int, n: int) -> bool:
    """Write which of the living units a + 1..n - 1 overlap unit a if they collide; return whether one does."""
    x, y, radius = floats[LIVING_X, a], floats[LIVING_Y, a], floats[LIVING_RADIUS, a]
    xs, ys, radii = floats[LIVING_X, a + 1:n], floats[LIVING_Y, a + 1:n], floats[LIVING_RADIUS, a + 1:n]
    overlaps = overlaps_out[a + 1:n]
    count = 0
    for b in range(xs.shape[0]):
        dx, dy, reach = x - xs[b], y - ys[b], radius + radii[b]
        overlap = dx * dx + dy * dy < reach * reach
        overlaps[b] = overlap
        count += overlap
    return count > 0


@inner_kernel
def _part(
        battle: Battle, tables: UnitTables, calibration: Calibration, i: int, j: int, dx: float, dy: float,
        distance: float
) -> None:
    """Part two overlapping units along the line between them; dx, dy point from j to i."""
    if distance < SAME_PLACE:
        dx, dy, distance = 1., 0., 1.
        depth = tables.reach[i, j]
    else:
        depth = tables.reach[i, j] - distance
    nx, ny = dx / distance, dy / distance
    share = _share(battle, tables, i, j)
    for k in range(2):
        u, sign, part = (i, 1., share) if k == 0 else (j, -1., 1. - share)
        if part > 0. and tables.stats[MAX_SPEED, u] > 0.:
            _give_way(battle, tables, calibration, u, sign * nx, sign * ny, depth * part)


@inline_kernel
def _share(battle: Battle, tables: UnitTables, i: int, j: int) -> float:
    """Return the part of an overlap that i gives way. Fighters stand fast, idlers yield to their own side."""
    allied = (i < tables.n_agents) == (j < tables.n_agents)
    stance_i, stance_j = battle.decision[STANCE, i], battle.decision[STANCE, j]
    yields_i = stance_i == WALKING or (stance_i == STILL and allied)
    yields_j = stance_j == WALKING or (stance_j == STILL and allied)
    if yields_i == yields_j:
        return 0.5
    return 1. if yields_i else 0.


@inline_kernel
def _give_way(
        battle: Battle, tables: UnitTables, calibration: Calibration, u: int, nx: float, ny: float, depth: float
) -> None:
    """Move a unit back by depth along the normal; one that walks slides round the obstacle with the way it lost."""
    side = 0.
    if battle.decision[STANCE, u] == WALKING:
        step_x, step_y = battle.physical[STEP_X, u], battle.physical[STEP_Y, u]
        if step_x * nx + step_y * ny < 0.:
            cross, step = nx * step_y - ny * step_x, math.sqrt(step_x * step_x + step_y * step_y)
            side = calibration.slide_gain * min(depth, step - abs(cross))
            # Met head-on, neighbours part, so that none is held up behind two friends.
            head_on = abs(cross) <= calibration.headon_sine * step
            if u % 2 == 1 if head_on else cross < 0.:
                side = -side
    dx, dy = nx * depth - ny * side, ny * depth + nx * side
    if not shift(battle, tables, calibration, u, dx, dy) and not shift(battle, tables, calibration, u, dx, 0.):
        shift(battle, tables, calibration, u, 0., dy)
