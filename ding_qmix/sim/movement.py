"""Walking, terrain, and bodies that push one another apart. Kernels over one battle."""
import math

import numpy as np

from ding_qmix.sim.arsenal import ACCELERATION, FLIES, MAX_SPEED, Army
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.state import SPEED, STANCE, STEP_X, STEP_Y, STILL, WALKING, Battle
from ding_qmix.smac.kernel import kernel
from ding_qmix.smac.units import HEALTH, X, Y

_SAME_PLACE = 1e-9  # [map units] below which a direction is undefined


@kernel
def walk(battle: Battle, army: Army, knobs: SimKnobs, u: int, x: float, y: float) -> bool:
    """Walk one loop towards a point; say whether it was reached."""
    unit, body = battle.unit, battle.body
    dx, dy = x - unit[X, u], y - unit[Y, u]
    distance = math.sqrt(dx * dx + dy * dy)
    if distance < _SAME_PLACE:
        return True
    speed = min(army.stats[MAX_SPEED, u], body[SPEED, u] + army.stats[ACCELERATION, u])
    body[SPEED, u] = speed
    fraction = min(speed, distance) / distance
    body[STEP_X, u], body[STEP_Y, u] = dx * fraction, dy * fraction
    battle.mind[STANCE, u] = WALKING
    _shift(battle, army, knobs, u, dx * fraction, dy * fraction)
    return speed >= distance


@kernel
def separate(battle: Battle, army: Army, knobs: SimKnobs, n_alive: int) -> None:
    """Push apart the living units (the first n_alive of ``turn``) that overlap, pair by pair, in order of turn."""
    unit, turn = battle.unit, battle.turn
    for a in range(n_alive):
        i = turn[a]
        if unit[HEALTH, i] <= 0.:
            continue
        for b in range(a + 1, n_alive):
            j = turn[b]
            reach = army.reach[i, j]
            dx, dy = unit[X, i] - unit[X, j], unit[Y, i] - unit[Y, j]
            square = dx * dx + dy * dy
            if square < reach * reach and unit[HEALTH, j] > 0.:
                _part(battle, army, knobs, i, j, dx, dy, math.sqrt(square))


@kernel
def _part(battle: Battle, army: Army, knobs: SimKnobs, i: int, j: int, dx: float, dy: float, distance: float) -> None:
    """Part two overlapping units along the line between them; dx, dy point from j to i."""
    if distance < _SAME_PLACE:
        dx, dy, distance = 1., 0., 1.
        depth = army.reach[i, j]
    else:
        depth = army.reach[i, j] - distance
    nx, ny = dx / distance, dy / distance
    share = _share(battle, army, i, j)
    _give_way(battle, army, knobs, i, nx, ny, depth * share)
    _give_way(battle, army, knobs, j, -nx, -ny, depth * (1. - share))


@kernel
def _share(battle: Battle, army: Army, i: int, j: int) -> float:
    """Return the part of an overlap that i gives way. Fighters stand fast, idlers yield to their own side."""
    allied = (i < army.n_agents) == (j < army.n_agents)
    stance_i, stance_j = battle.mind[STANCE, i], battle.mind[STANCE, j]
    yields_i = stance_i == WALKING or (stance_i == STILL and allied)
    yields_j = stance_j == WALKING or (stance_j == STILL and allied)
    if yields_i == yields_j:
        return 0.5
    return 1. if yields_i else 0.


@kernel
def _give_way(battle: Battle, army: Army, knobs: SimKnobs, u: int, nx: float, ny: float, depth: float) -> None:
    """Move a unit back by depth along the normal; one that walks slides round the obstacle with the way it lost."""
    if depth <= 0.:
        return
    side = 0.
    if battle.mind[STANCE, u] == WALKING:
        step_x, step_y = battle.body[STEP_X, u], battle.body[STEP_Y, u]
        if step_x * nx + step_y * ny < 0.:
            cross = nx * step_y - ny * step_x
            lost = math.sqrt(step_x * step_x + step_y * step_y) - abs(cross)
            side = knobs.slide_gain * min(depth, lost)
            if cross < 0. or (cross == 0. and u % 2 == 1):
                side = -side
    _shift(battle, army, knobs, u, nx * depth - ny * side, ny * depth + nx * side)


@kernel
def _shift(battle: Battle, army: Army, knobs: SimKnobs, u: int, dx: float, dy: float) -> None:
    """Move a unit as far as the terrain allows: along both axes, else along one."""
    unit = battle.unit
    x, y = unit[X, u] + dx, unit[Y, u] + dy
    if army.stats[FLIES, u]:
        unit[X, u] = min(max(x, knobs.map_edge), battle.pathable.shape[0] - knobs.map_edge)
        unit[Y, u] = min(max(y, knobs.map_edge), battle.pathable.shape[1] - knobs.map_edge)
    elif _is_open(battle.pathable, x, y):
        unit[X, u], unit[Y, u] = x, y
    elif _is_open(battle.pathable, x, unit[Y, u]):
        unit[X, u] = x
    elif _is_open(battle.pathable, unit[X, u], y):
        unit[Y, u] = y


@kernel
def _is_open(pathable: np.ndarray, x: float, y: float) -> bool:
    """Say whether a ground unit's centre may be here."""
    if x < 0. or y < 0. or x >= pathable.shape[0] or y >= pathable.shape[1]:
        return False
    return pathable[int(x), int(y)]
