"""How an episode begins: where the units stand, the same compact cluster every time, and the enemy's order."""
from functools import cache
from typing import NamedTuple

import numpy as np

from ding_qmix.numba_kernel import kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.loop import play_loop
from ding_qmix.sim.opponent import nearest_foe
from ding_qmix.sim.rng import draw_fraction
from ding_qmix.sim.state import (
    ATTACK,
    ATTACK_MOVE,
    GOAL_X,
    GOAL_Y,
    GUARD,
    HURT_BY,
    MISSILE_TARGET,
    N_DECISION,
    N_PHYSICAL,
    ORDER,
    TARGET,
    Battle,
)
from ding_qmix.sim.unit_tables import HEALS, UnitTables, reach
from ding_qmix.sim.unit_types import FLIES, UNIT_TYPES, UnitType
from ding_qmix.smac.scenarios import Scenario, UnitGroup
from ding_qmix.smac.terrain import MAP_SIZE, pathing_grid
from ding_qmix.smac.units import ENERGY, HEALTH, N_FIELDS, SHIELD, UNIT_NAMES, UNIT_STATS, X, Y

_OVERLAP_SLACK = 1e-9  # [map units] that neighbours on a lattice may overlap by rounding


class InitialState(NamedTuple):
    """What every episode of a map begins with."""
    unit: np.ndarray  # float64 [N_FIELDS, U], the unit table
    goal: np.ndarray  # float64 [2, 2], ends (x, y) of the segment that the enemy's destination is drawn from
    marches: bool  # the enemy gets an attack-move order
    hunts: bool  # each enemy is told to attack the ally nearest to it


def make_initial_state(scenario: Scenario, names: list[str], x: np.ndarray, y: np.ndarray) -> InitialState:
    """
    Overview:
        Return the initial state of a map's episodes for units of these types, float [U] positions, in SMAC's order.
    """
    stats = [UNIT_STATS[UNIT_NAMES.index(name)] for name in names]
    unit = np.zeros((N_FIELDS, len(names)))
    unit[X], unit[Y] = x, y
    unit[HEALTH], unit[SHIELD] = [s.health for s in stats], [s.shield for s in stats]
    unit[ENERGY] = [s.energy_start for s in stats]
    order = scenario.enemy_order
    points = order.points or ((0., 0.), )
    return InitialState(unit, np.array([points[0], points[-1]]), bool(order.points), order.kind == 'allies')


@kernel
def begin_battle(battle: Battle, initial: InitialState, tables: UnitTables, calibration: Calibration) -> None:
    """Set a battle to its initial state, give the enemy its order, let the first loops pass."""
    for u in range(battle.unit.shape[1]):
        for row in range(N_FIELDS):
            battle.unit[row, u] = initial.unit[row, u]
        for row in range(N_PHYSICAL):
            battle.physical[row, u] = 0.
        for row in range(N_DECISION):
            battle.decision[row, u] = -1 if row in (TARGET, MISSILE_TARGET, HURT_BY) else 0
    along = draw_fraction(battle.rng)
    for u in range(tables.n_agents, battle.unit.shape[1]):
        battle.physical[GOAL_X, u] = initial.goal[0, 0] + along * (initial.goal[1, 0] - initial.goal[0, 0])
        battle.physical[GOAL_Y, u] = initial.goal[0, 1] + along * (initial.goal[1, 1] - initial.goal[0, 1])
        waits = not initial.marches or (tables.stats[HEALS, u] > 0. and not calibration.scan_move)
        battle.decision[ORDER, u] = GUARD if waits else ATTACK_MOVE
        if initial.hunts:
            battle.decision[ORDER, u], battle.decision[TARGET, u] = ATTACK, nearest_foe(battle, tables, u)
    for _ in range(calibration.reset_loops):
        play_loop(battle, tables, calibration)


def spawn_points(scenario: Scenario, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """
    Overview:
        Place all units in order of creation, allies first: each on the free point nearest to its spawn point.
    Shapes:
        - returns: x, y, float64 [U]
    Source: the first unit lands on the point, later ones on free places nearby, the same in every episode (oxwhirl/smac
        issues 86 and 91). The exact pattern is unknown: here a square lattice (calibration: ``spawn_spacing``).
    """
    pathable = pathing_grid(scenario.terrain)
    placed: list[tuple[float, float, UnitType]] = []
    for group in scenario.allies + scenario.enemies:
        for _ in range(group.n_units):
            placed.append(_free_point(group, placed, pathable, calibration.spawn_spacing))
    return np.array([p[0] for p in placed]), np.array([p[1] for p in placed])


def _free_point(group: UnitGroup, placed: list[tuple[float, float, UnitType]], pathable: np.ndarray,
                spacing: float) -> tuple[float, float, UnitType]:
    """Return the nearest lattice point, ties by x, then y, that is on the map and clear of units placed before."""
    kind = UNIT_TYPES[group.unit]
    pitch = 2. * kind.separation * spacing
    for i, j in _lattice():
        x, y = group.x + i * pitch, group.y + j * pitch
        if not (0. <= x < MAP_SIZE and 0. <= y < MAP_SIZE) or not (kind.footing == FLIES or pathable[int(x), int(y)]):
            continue
        if all(_clear(kind, x, y, *other) for other in placed):
            return x, y, kind
    raise ValueError(f'no free place for {group.unit} near ({group.x}, {group.y})')


def _clear(kind: UnitType, x: float, y: float, other_x: float, other_y: float, other: UnitType) -> bool:
    """Return whether a unit here would not overlap another."""
    least = max(0., reach(kind, other) - _OVERLAP_SLACK)
    return (x - other_x) ** 2 + (y - other_y) ** 2 >= least * least


@cache
def _lattice() -> tuple[tuple[int, int], ...]:
    """Return the points of a square lattice by distance from its origin, then by x, then by y."""
    steps = range(-MAP_SIZE, MAP_SIZE + 1)
    return tuple(sorted(((i, j) for i in steps for j in steps), key=lambda p: (p[0] ** 2 + p[1] ** 2, p)))
