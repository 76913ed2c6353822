"""How an episode begins: where the units stand, the same layout every time, and the enemy's order."""
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
from ding_qmix.sim.unit_tables import HEALS, UnitTables
from ding_qmix.sim.unit_types import FLIES, OVERLAP, UNIT_TYPES, UnitType
from ding_qmix.smac.scenarios import Scenario, UnitGroup
from ding_qmix.smac.terrain import MAP_SIZE, pathing_grid
from ding_qmix.smac.units import ENERGY, HEALTH, N_FIELDS, SHIELD, UNIT_NAMES, UNIT_STATS, X, Y

_SLACK = 1e-9  # [map units] that neighbours on a lattice may overlap by rounding

# Where several types stand round one point, [map units] from it, by map and by the side's groups; recordings.
_MARAUDERS = ((-.8311, .9661), (-.831, -.9665))
_MMM = (('marine', 7), ('marauder', 2), ('medivac', 1))
_RECORDED: dict[tuple[str, tuple[tuple[str, int], ...]], dict[str, tuple[tuple[float, float], ...]]] = {
    ('2s3z', (('stalker', 2), ('zealot', 3))): {
        'zealot': ((.9414, -.4946), (.7517, .7517), (-.752, .7517))
    },
    ('MMM', _MMM): {
        'marauder': _MARAUDERS
    },
    ('MMM2', _MMM): {
        'marauder': (_MARAUDERS[0], (-1.125, -1.125))
    },
}


class InitialState(NamedTuple):
    """What every episode of a map begins with."""
    unit: np.ndarray  # float64 [N_FIELDS, U], the unit table
    goal: np.ndarray  # float64 [2, 2], ends (x, y) of the segment that the enemy's destination is drawn from
    aside: np.ndarray  # float64 [2, U], how far (x, y) enemies stand from the middle of their side
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
    aside = np.zeros((2, len(names)))
    places = unit[:2, scenario.n_agents:]  # X, Y
    aside[:, scenario.n_agents:] = places - places.mean(axis=1, keepdims=True)
    return InitialState(unit, np.array([points[0], points[-1]]), aside, bool(order.points), order.kind == 'allies')


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
        # A group walks in parallel: everybody with the heading from its centre to the destination, as recorded.
        goal_x = initial.goal[0, 0] + along * (initial.goal[1, 0] - initial.goal[0, 0])
        goal_y = initial.goal[0, 1] + along * (initial.goal[1, 1] - initial.goal[0, 1])
        battle.physical[GOAL_X, u] = goal_x + initial.aside[0, u]
        battle.physical[GOAL_Y, u] = goal_y + initial.aside[1, u]
        waits = not initial.marches or (tables.stats[HEALS, u] > 0. and not calibration.scan_move)
        battle.decision[ORDER, u] = GUARD if waits else ATTACK_MOVE
        if initial.hunts:
            battle.decision[ORDER, u], battle.decision[TARGET, u] = ATTACK, nearest_foe(battle, tables, u)
    for _ in range(calibration.reset_loops):
        play_loop(battle, tables, calibration)


def spawn_points(scenario: Scenario, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """
    Overview:
        Place all units in order of creation, allies first: the first of a group on its point, the others round it.
    Shapes:
        - returns: x, y, float64 [U]
    Source: recordings of the game on 3m, 8m, 3s_vs_4z, corridor and 2c_vs_64zg, of which the rule gives the commonest
        layout (calibration: ``spawn_spacing``). Several types at one point follow no rule that was found: they stand as
        recorded on 2s3z, MMM and MMM2 (the commonest variant), elsewhere on the first free places of the rule.
    """
    pathable = pathing_grid(scenario.terrain)
    placed: list[tuple[float, float, UnitType]] = []
    points: list[tuple[float, float]] = []  # that they were put on or round
    for side in (scenario.allies, scenario.enemies):
        offsets = _RECORDED.get((scenario.name, tuple((group.unit, group.n_units) for group in side)), {})
        for group in side:
            first = next((i for i, p in enumerate(points) if p == (group.x, group.y)), len(placed))
            for k in range(group.n_units):
                if group.unit in offsets:
                    dx, dy = offsets[group.unit][k]
                    placed.append((group.x + dx, group.y + dy, UNIT_TYPES[group.unit]))
                else:
                    placed.append(_free_point(group, placed[first:], pathable, calibration.spawn_spacing))
                points.append((group.x, group.y))
    return np.array([p[0] for p in placed]), np.array([p[1] for p in placed])


def _free_point(group: UnitGroup, placed: list[tuple[float, float, UnitType]], pathable: np.ndarray,
                spacing: float) -> tuple[float, float, UnitType]:
    """Return the first lattice point that is on the map and clear of units placed round the same point before."""
    kind = UNIT_TYPES[group.unit]
    pitch = 2. * kind.radius * spacing
    for i, j in _lattice():
        inwards = OVERLAP if i * i + j * j == 1 else 0.  # the four next to the point stand this much closer to it
        x, y = group.x + i * (pitch - inwards), group.y + j * (pitch - inwards)
        if not (0. <= x < MAP_SIZE and 0. <= y < MAP_SIZE) or not (kind.footing == FLIES or pathable[int(x), int(y)]):
            continue
        if all(_clear(kind, x, y, *other) for other in placed):
            return x, y, kind
    raise ValueError(f'no free place for {group.unit} near ({group.x}, {group.y})')


def _clear(kind: UnitType, x: float, y: float, other_x: float, other_y: float, other: UnitType) -> bool:
    """Return whether a unit here would keep off another: placement goes by radii, not by separation."""
    least = max(0., kind.radius + other.radius - OVERLAP - _SLACK) if kind.bumps & other.bumps else 0.
    return (x - other_x) ** 2 + (y - other_y) ** 2 >= least * least


@cache
def _lattice() -> tuple[tuple[int, int], ...]:
    """
    Return the points of a square lattice from the middle outwards, as the game fills them.

    Points equally far come in fours that one makes out of the other by quarter turns to the left, from the south on;
    read off the 64 zerglings of 2c_vs_64zg.
    """
    points = [(0, 0)]
    starts = [(i, -j) for i in range(MAP_SIZE + 1) for j in range(1, MAP_SIZE + 1)]
    for i, j in sorted(starts, key=lambda p: (p[0] ** 2 + p[1] ** 2, p[0])):
        points += [(i, j), (-j, i), (-i, -j), (j, -i)]
    return tuple(points)
