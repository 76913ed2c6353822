"""Walking on the map. Kernels over one battle."""
import math

import numpy as np

from ding_qmix.numba_kernel import inline_kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.pathing import STRAIGHT
from ding_qmix.sim.state import SPEED, STANCE, STEP_X, STEP_Y, WALKING, Battle
from ding_qmix.sim.unit_tables import ACCELERATION, FOOTING, MAX_SPEED, UnitTables
from ding_qmix.sim.unit_types import FLIES, WALKS
from ding_qmix.smac.terrain import MAP_SIZE
from ding_qmix.smac.units import X, Y

SAME_PLACE = 1e-9  # [map units] below which a direction is undefined


@inline_kernel
def walk(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, x: float, y: float) -> bool:
    """Walk one loop towards a point, round the terrain that is in the way; return whether it was reached."""
    unit, physical = battle.unit, battle.physical
    if tables.stats[MAX_SPEED, u] == 0.:
        return False
    via = STRAIGHT
    if battle.route.shape[0] > 1 and tables.stats[FOOTING, u] == WALKS:
        via = battle.route[_cell(unit[X, u], unit[Y, u]), _cell(x, y)]
        if via != STRAIGHT:
            x, y = via // MAP_SIZE + 0.5, via % MAP_SIZE + 0.5
    dx, dy = x - unit[X, u], y - unit[Y, u]
    distance = math.sqrt(dx * dx + dy * dy)
    if distance < SAME_PLACE:
        return via == STRAIGHT
    speed = min(tables.stats[MAX_SPEED, u], physical[SPEED, u] + tables.stats[ACCELERATION, u])
    physical[SPEED, u] = speed
    fraction = min(speed, distance) / distance
    physical[STEP_X, u], physical[STEP_Y, u] = dx * fraction, dy * fraction
    battle.decision[STANCE, u] = WALKING
    if not shift(battle, tables, calibration, u, dx * fraction, dy * fraction):
        _walk_along(battle, tables, calibration, u, dx, dy, speed)
    return via == STRAIGHT and speed >= distance


@inline_kernel
def shift(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, dx: float, dy: float) -> bool:
    """Move a unit if the terrain allows, and return whether it does; fliers are kept on the map."""
    unit = battle.unit
    x, y = unit[X, u] + dx, unit[Y, u] + dy
    footing = tables.stats[FOOTING, u]
    if footing == FLIES:
        x = min(max(x, calibration.map_edge), MAP_SIZE - calibration.map_edge)
        y = min(max(y, calibration.map_edge), MAP_SIZE - calibration.map_edge)
    elif not _is_open(battle.footing, x, y, footing):
        return False
    unit[X, u], unit[Y, u] = x, y
    return True


@inline_kernel
def _walk_along(
        battle: Battle, tables: UnitTables, calibration: Calibration, u: int, dx: float, dy: float, speed: float
) -> None:
    """Walk along the wall that a step of ``speed`` ran into, first on the axis on which its goal is farther off."""
    along_x, along_y = min(max(dx, -speed), speed), min(max(dy, -speed), speed)
    if abs(dx) >= abs(dy):
        if not shift(battle, tables, calibration, u, along_x, 0.):
            shift(battle, tables, calibration, u, 0., along_y)
    elif not shift(battle, tables, calibration, u, 0., along_y):
        shift(battle, tables, calibration, u, along_x, 0.)


@inline_kernel
def _is_open(footing: np.ndarray, x: float, y: float, need: float) -> bool:
    """Return whether the centre of a unit that needs this footing may be here."""
    if x < 0. or y < 0. or x >= MAP_SIZE or y >= MAP_SIZE:
        return False
    return footing[int(x), int(y)] >= need


@inline_kernel
def _cell(x: float, y: float) -> int:
    """Return the number of the cell of a point; points off the map belong to its edge."""
    return min(max(int(x), 0), MAP_SIZE - 1) * MAP_SIZE + min(max(int(y), 0), MAP_SIZE - 1)
