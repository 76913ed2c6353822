"""The game loop: 16 of them make a game second, 8 one env step by default. Kernels over one battle."""
import math

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.sim.beams import sweep_beams
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.collision import separate
from ding_qmix.sim.combat import fly_missiles
from ding_qmix.sim.damage import settle_bursts
from ding_qmix.sim.opponent import fight_on
from ding_qmix.sim.orders import give_order, obey
from ding_qmix.sim.rng import draw_below
from ding_qmix.sim.state import (
    ALLY_BOX,
    BACKSWING,
    BURSTING,
    HELP_WAIT,
    PHASE,
    READY_FOR,
    SHIELD_WAIT,
    SPEED,
    STANCE,
    STILL,
    TURN,
    WALKING,
    WINDING,
    Battle,
)
from ding_qmix.sim.unit_tables import (
    ENERGY_MAX,
    ENERGY_REGEN,
    HEALTH_MAX,
    HEALTH_REGEN,
    SHIELD_MAX,
    SHIELD_REGEN,
    UnitTables,
)
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y


@kernel
def play_step(battle: Battle, tables: UnitTables, calibration: Calibration, actions: np.ndarray) -> None:
    """Give the allies their orders, int64 [N], and play one env step."""
    for u in range(tables.n_agents):
        give_order(battle, tables, u, actions[u])
    for _ in range(tables.actions.step_mul):
        play_loop(battle, tables, calibration)


@kernel
def play_loop(battle: Battle, tables: UnitTables, calibration: Calibration) -> None:
    """Let every living unit act once in random order, then move beams and missiles and part what overlaps."""
    n_alive = _draw_turn(battle)
    _run_clocks(battle, tables)
    _bound_allies(battle, tables)
    for k in range(n_alive):
        u = battle.ints[TURN, k]
        if battle.unit[HEALTH, u] > 0.:
            _act(battle, tables, calibration, u)
    if tables.beams:
        sweep_beams(battle, tables)
    fly_missiles(battle, tables)
    if tables.bursts and battle.ints[BURSTING, 0] > 0:
        settle_bursts(battle, tables)
    separate(battle, tables, calibration, n_alive)


@inline_kernel
def _draw_turn(battle: Battle) -> int:
    """Write the living units in random order into ``turn``; return how many there are."""
    turn, n_alive = battle.ints[TURN], 0
    for u in range(battle.unit.shape[1]):
        if battle.unit[HEALTH, u] > 0.:
            turn[n_alive] = u
            n_alive += 1
    for last in range(n_alive - 1, 0, -1):
        k = draw_below(battle.rng, last + 1)
        turn[last], turn[k] = turn[k], turn[last]
    return n_alive


@inline_kernel
def _run_clocks(battle: Battle, tables: UnitTables) -> None:
    """Let the clocks of all units run for a loop, and what regenerates grow; nothing grows in the dead."""
    unit, physical, stats = battle.unit, battle.physical, tables.stats
    for row in (BACKSWING, HELP_WAIT, SHIELD_WAIT):
        for u in range(unit.shape[1]):
            physical[row, u] = max(0., physical[row, u] - 1.)
    for u in range(unit.shape[1]):
        battle.decision[STANCE, u] = STILL
        left = unit[COOLDOWN, u] - 1.
        if battle.decision[PHASE, u] != WINDING:
            physical[READY_FOR, u] = max(0., -left) if left > -1. else 0.
        unit[COOLDOWN, u] = max(0., left)
        alive = 1. if unit[HEALTH, u] > 0. else 0.
        calm = alive if physical[SHIELD_WAIT, u] <= 0. else 0.
        unit[ENERGY, u] = min(stats[ENERGY_MAX, u], unit[ENERGY, u] + alive * stats[ENERGY_REGEN, u])
        unit[SHIELD, u] = min(stats[SHIELD_MAX, u], unit[SHIELD, u] + calm * stats[SHIELD_REGEN, u])
        unit[HEALTH, u] = min(stats[HEALTH_MAX, u], unit[HEALTH, u] + alive * stats[HEALTH_REGEN, u])


@inline_kernel
def _bound_allies(battle: Battle, tables: UnitTables) -> None:
    """Write the box that holds the living allies, so that enemies far from it need not look for targets."""
    unit, box = battle.unit, battle.floats[ALLY_BOX]
    box[0], box[1], box[2], box[3] = math.inf, -math.inf, math.inf, -math.inf
    for u in range(tables.n_agents):
        if unit[HEALTH, u] > 0.:
            box[0], box[1] = min(box[0], unit[X, u]), max(box[1], unit[X, u])
            box[2], box[3] = min(box[2], unit[Y, u]), max(box[3], unit[Y, u])


@inline_kernel
def _act(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> None:
    """Let one unit act, and those burst that died of it."""
    if u < tables.n_agents:
        obey(battle, tables, calibration, u)
    else:
        fight_on(battle, tables, calibration, u)
    if battle.decision[STANCE, u] != WALKING:
        battle.physical[SPEED, u] = 0.
    if tables.bursts and battle.ints[BURSTING, 0] > 0:
        settle_bursts(battle, tables)
