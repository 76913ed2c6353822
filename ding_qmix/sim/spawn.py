"""How an episode begins: where the units stand, how they are numbered, and the enemy's order."""
from typing import NamedTuple

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.loop import play_loop
from ding_qmix.sim.opponent import nearest_foe
from ding_qmix.sim.recorded_spawns import VARIANTS, Variant
from ding_qmix.sim.rng import draw_below, draw_fraction
from ding_qmix.sim.state import (
    ATTACK,
    ATTACK_MOVE,
    GOAL_X,
    GOAL_Y,
    GUARD,
    HURT_BY,
    LOOK_WAIT,
    MISSILE_TARGET,
    N_DECISION,
    N_PHYSICAL,
    ORDER,
    TARGET,
    Battle,
)
from ding_qmix.sim.unit_tables import HEALS, UnitTables
from ding_qmix.smac.rules import created_units
from ding_qmix.smac.scenarios import Scenario
from ding_qmix.smac.units import ENERGY, HEALTH, N_FIELDS, SHIELD, UNIT_NAMES, UNIT_STATS, X, Y


class InitialState(NamedTuple):
    """What every episode of a map begins with."""
    unit: np.ndarray  # float64 [N_FIELDS, U], the unit table in the commonest layout
    unit_type: np.ndarray  # int32 [U], index into UNIT_NAMES
    variant_unit: np.ndarray  # int32 [V], ally that stands elsewhere in some episodes; a unit's variants in a row
    variant_share: np.ndarray  # float64 [2, V], from and below which its draw gives this variant
    variant_place: np.ndarray  # float64 [2, V], x, y
    goal: np.ndarray  # float64 [2, 2], ends (x, y) of the segment that the enemy's destination is drawn from
    aside: np.ndarray  # float64 [2, U], how far (x, y) enemies stand from the middle of their side
    marches: bool  # the enemy gets an attack-move order
    hunts: bool  # each enemy is told to attack the ally nearest to it


def make_initial_state(scenario: Scenario, order: np.ndarray, x: np.ndarray, y: np.ndarray) -> InitialState:
    """
    Overview:
        Return the initial state of a map's episodes.
    Shapes:
        - order: int [U], which created unit SMAC numbers u
        - x, y: float [U], where units are, in order of creation
    """
    created, x, y = created_units(scenario), x[order], y[order]
    kinds = [UNIT_NAMES.index(created[i]) for i in order]
    stats = [UNIT_STATS[kind] for kind in kinds]
    unit = np.zeros((N_FIELDS, len(kinds)))
    unit[X], unit[Y] = x, y
    unit[HEALTH], unit[SHIELD] = [s.health for s in stats], [s.shield for s in stats]
    unit[ENERGY] = [s.energy_start for s in stats]
    enemy = scenario.enemy_order
    points = enemy.points or ((0., 0.), )
    aside = np.zeros((2, len(kinds)))
    places = unit[:2, scenario.n_agents:]  # X, Y
    aside[:, scenario.n_agents:] = places - places.mean(axis=1, keepdims=True)
    goal = np.array([points[0], points[-1]])
    variants = _lay_out(VARIANTS.get(scenario.name, ()), order)
    return InitialState(
        unit, np.array(kinds, dtype=np.int32), *variants, goal, aside, bool(enemy.points), enemy.kind == 'allies'
    )


@kernel
def begin_battle(
        battle: Battle, initial: InitialState, tables: UnitTables, calibration: Calibration, is_fresh: bool
) -> None:
    """
    Set a battle to its initial state, give the enemy its order, let the first loops pass.

    With ``is_fresh``, after a new seed, none pass, as in the first episode of a game that was started anew.
    """
    for u in range(battle.unit.shape[1]):
        for row in range(N_FIELDS):
            battle.unit[row, u] = initial.unit[row, u]
        for row in range(N_PHYSICAL):
            battle.physical[row, u] = 0.
        for row in range(N_DECISION):
            battle.decision[row, u] = -1 if row in (TARGET, MISSILE_TARGET, HURT_BY) else 0
    _draw_places(battle, initial, tables)
    _draw_numbers(battle, tables, calibration)
    along = draw_fraction(battle.rng)
    for u in range(tables.n_agents, battle.unit.shape[1]):
        # A group walks in parallel: everybody with the heading from its centre to the destination, as recorded.
        goal_x = initial.goal[0, 0] + along * (initial.goal[1, 0] - initial.goal[0, 0])
        goal_y = initial.goal[0, 1] + along * (initial.goal[1, 1] - initial.goal[0, 1])
        battle.physical[LOOK_WAIT, u] = 1 + draw_below(battle.rng, calibration.look_period)
        battle.physical[GOAL_X, u] = goal_x + initial.aside[0, u]
        battle.physical[GOAL_Y, u] = goal_y + initial.aside[1, u]
        waits = not initial.marches or (tables.stats[HEALS, u] > 0. and not calibration.scan_move)
        battle.decision[ORDER, u] = GUARD if waits else ATTACK_MOVE
        if initial.hunts:
            battle.decision[ORDER, u], battle.decision[TARGET, u] = ATTACK, nearest_foe(battle, tables, u)
    n_loops = calibration.reset_loops + (draw_fraction(battle.rng) < calibration.late_resets)
    for _ in range(0 if is_fresh else n_loops):
        play_loop(battle, tables, calibration)


@inline_kernel
def _draw_places(battle: Battle, initial: InitialState, tables: UnitTables) -> None:
    """Draw which variant of the layout this episode has; allies of a type are numbered by x, then y, as SMAC does."""
    draw = 0.
    for v in range(initial.variant_unit.shape[0]):
        u = initial.variant_unit[v]
        if v == 0 or initial.variant_unit[v - 1] != u:
            draw = draw_fraction(battle.rng)
        if initial.variant_share[0, v] <= draw < initial.variant_share[1, v]:
            battle.unit[X, u], battle.unit[Y, u] = initial.variant_place[0, v], initial.variant_place[1, v]
    for last in range(1, tables.n_agents if initial.variant_unit.shape[0] > 0 else 0):
        u = last
        while u > 0 and initial.unit_type[u] == initial.unit_type[u - 1] and _stands_before(battle, u, u - 1):
            for row in (X, Y):
                battle.unit[row, u], battle.unit[row, u - 1] = battle.unit[row, u - 1], battle.unit[row, u]
            u -= 1


@inline_kernel
def _stands_before(battle: Battle, u: int, other: int) -> bool:
    """Return whether SMAC's order by x, then y has a unit before another of its type."""
    dx = battle.unit[X, u] - battle.unit[X, other]
    return dx < 0. or (dx == 0. and battle.unit[Y, u] < battle.unit[Y, other])


@inline_kernel
def _draw_numbers(battle: Battle, tables: UnitTables, calibration: Calibration) -> None:
    """
    Draw how this episode numbers the enemies: each in order of creation takes the first or the last number left.

    Recorded orders of 3m and 3s_vs_4z are those 4 of 6 and 8 of 24 that this gives, all equally often.
    """
    first, last = tables.n_agents, battle.unit.shape[1] - 1
    for u in range(battle.unit.shape[1]):
        if u < tables.n_agents:
            battle.unit_at[u] = u
        elif not calibration.permute_enemies or draw_below(battle.rng, 2) == 0:
            battle.unit_at[first] = u
            first += 1
        else:
            battle.unit_at[last] = u
            last -= 1


def _lay_out(variants: tuple[Variant, ...], order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return units, shares, places of the layout's variants, as in InitialState; order int [U] of creation."""
    units = np.array([int(np.flatnonzero(order == v.unit)[0]) for v in variants], dtype=np.int32)
    shares = np.zeros((2, len(variants)))
    for i, variant in enumerate(variants):
        begin = shares[1, i - 1] if i > 0 and variants[i - 1].unit == variant.unit else 0.
        shares[:, i] = begin, begin + variant.share
    places = np.array([(v.x, v.y) for v in variants]).reshape(-1, 2).T.copy()
    return units, shares, places
