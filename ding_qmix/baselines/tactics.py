"""
What the scripted policies decide for one agent. Kernels over what the env shows: unit table, legal actions, and the
unit types' tables of ranges and targets, which are known before a battle begins.
"""
import math

import numpy as np

from ding_qmix.numba_kernel import kernel
from ding_qmix.sim.unit_tables import CANNOT_HIT, HEALS, HEALTH_MAX, RADIUS, RANGE, UnitTables
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.spec import UnitSnapshot

MELEE_RANGE = 1.  # [map units] below this a weapon's range makes a unit one to keep away from; zealots have 0.1
KITE_GAP = 4.  # [map units] between edges within which a melee enemy is run from; two steps of a zealot and some
KITE_COOLDOWN = 3.  # [game loops] left on the weapon at which a kiting agent turns to shoot; a step has 8
ESCORT_GAP = 2.  # [map units] between edges that a healer with no patient keeps from the nearest fighter
SWEEP = 2.  # [map units] ahead at which a kiting agent judges a direction; a move order aims there


@kernel
def pick_closest(
        units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables, target: np.ndarray
) -> int:
    """Stick to the nearest living enemy (a healer: to the nearest hurt ally); target int64 [E, N] is remembered."""
    if units.health[e, u] <= 0.:
        return NO_OP
    kept = target[e, u]
    if kept < 0 or not _is_target(units, e, u, kept, tables):
        kept = _nearest(units, e, u, tables)
        target[e, u] = kept
    return STOP if kept < 0 else _engage(units, e, u, kept, action_mask, tables)


@kernel
def pick_focus(units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Shoot the weakest enemy in weapon range (a healer: heal the weakest ally in reach), else go to the nearest."""
    if units.health[e, u] <= 0.:
        return NO_OP
    target = _weakest(units, e, u, action_mask, tables)
    if target < 0:
        target = _nearest(units, e, u, tables)
    if target >= 0:
        return _engage(units, e, u, target, action_mask, tables)
    return _escort(units, e, u, action_mask, tables) if tables.stats[HEALS, u] > 0. else STOP


@kernel
def pick_kite(units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Run from melee enemies while the weapon is not ready; otherwise focus fire."""
    alive = units.health[e, u] > 0.
    ranged = tables.stats[RANGE, u] >= MELEE_RANGE
    if alive and ranged and units.cooldown[e, u] > KITE_COOLDOWN and _pressed(units, e, u, tables):
        return _retreat(units, e, u, action_mask, tables)
    return pick_focus(units, e, u, action_mask, tables)


@kernel
def gap(units: UnitSnapshot, e: int, u: int, v: int, tables: UnitTables) -> float:
    """Return the distance between the edges of two units, [map units]."""
    dx, dy = units.x[e, u] - units.x[e, v], units.y[e, u] - units.y[e, v]
    return math.sqrt(dx * dx + dy * dy) - tables.stats[RADIUS, u] - tables.stats[RADIUS, v]


@kernel
def _is_target(units: UnitSnapshot, e: int, u: int, v: int, tables: UnitTables) -> bool:
    """Return whether u can do something about v: hit it, or heal it because it is hurt."""
    if units.health[e, v] <= 0.:
        return False
    if tables.stats[HEALS, u] > 0.:
        return tables.healable[u, v] and units.health[e, v] < tables.stats[HEALTH_MAX, v]
    return tables.rank[u, v] > CANNOT_HIT


@kernel
def _target_action(u: int, v: int, tables: UnitTables) -> int:
    """Return the action that aims at unit v; a healer's aim at allies."""
    return FIRST_TARGET + v - (0 if tables.stats[HEALS, u] > 0. else tables.n_agents)


@kernel
def _nearest(units: UnitSnapshot, e: int, u: int, tables: UnitTables) -> int:
    """Return the nearest target by distance of centres, the first of equals, -1 if there is none."""
    best, best_square = -1, math.inf
    for v in range(units.health.shape[1]):
        if not _is_target(units, e, u, v, tables):
            continue
        dx, dy = units.x[e, v] - units.x[e, u], units.y[e, v] - units.y[e, u]
        if dx * dx + dy * dy < best_square:
            best, best_square = v, dx * dx + dy * dy
    return best


@kernel
def _weakest(units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Return the target in reach with least life (a healer: least fraction of it), the first of equals; -1 if none."""
    healer = tables.stats[HEALS, u] > 0.
    best, best_life = -1, math.inf
    for v in range(units.health.shape[1]):
        if not _is_target(units, e, u, v, tables) or not action_mask[e, u, _target_action(u, v, tables)]:
            continue
        if not healer and gap(units, e, u, v, tables) > tables.stats[RANGE, u]:
            continue
        life = units.health[e, v] / tables.stats[HEALTH_MAX, v] if healer else units.health[e, v] + units.shield[e, v]
        if life < best_life:
            best, best_life = v, life
    return best


@kernel
def _engage(units: UnitSnapshot, e: int, u: int, v: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Aim at unit v if that is legal, else walk towards it."""
    action = _target_action(u, v, tables)
    return action if action_mask[e, u, action] else _approach(units, e, u, v, action_mask)


@kernel
def _approach(units: UnitSnapshot, e: int, u: int, v: int, action_mask: np.ndarray) -> int:
    """Walk along the axis on which v is farther off, along the other where that is blocked, else stop."""
    dx, dy = units.x[e, v] - units.x[e, u], units.y[e, v] - units.y[e, u]
    along_x, along_y = EAST if dx > 0. else WEST, NORTH if dy > 0. else SOUTH
    first, second = (along_x, along_y) if abs(dx) > abs(dy) else (along_y, along_x)
    if action_mask[e, u, first]:
        return first
    return second if action_mask[e, u, second] else STOP


@kernel
def _escort(units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Keep near the nearest ally that can be healed."""
    best, best_gap = -1, math.inf
    for v in range(tables.n_agents):
        if units.health[e, v] > 0. and tables.healable[u, v] and gap(units, e, u, v, tables) < best_gap:
            best, best_gap = v, gap(units, e, u, v, tables)
    return STOP if best < 0 or best_gap <= ESCORT_GAP else _approach(units, e, u, best, action_mask)


@kernel
def _pressed(units: UnitSnapshot, e: int, u: int, tables: UnitTables) -> bool:
    """Return whether a melee enemy is close."""
    for v in range(tables.n_agents, units.health.shape[1]):
        if _is_melee_foe(units, e, u, v, tables) and gap(units, e, u, v, tables) <= KITE_GAP:
            return True
    return False


@kernel
def _is_melee_foe(units: UnitSnapshot, e: int, u: int, v: int, tables: UnitTables) -> bool:
    """Return whether v lives and must come close to hit u."""
    return units.health[e, v] > 0. and tables.rank[v, u] > CANNOT_HIT and tables.stats[RANGE, v] < MELEE_RANGE


@kernel
def _retreat(units: UnitSnapshot, e: int, u: int, action_mask: np.ndarray, tables: UnitTables) -> int:
    """Walk where melee enemies are farthest, the near ones weighing most."""
    best, least = STOP, math.inf
    for action in range(NORTH, WEST + 1):
        if not action_mask[e, u, action]:
            continue
        x = units.x[e, u] + SWEEP * ((action == EAST) - (action == WEST))
        y = units.y[e, u] + SWEEP * ((action == NORTH) - (action == SOUTH))
        danger = 0.
        for v in range(tables.n_agents, units.health.shape[1]):
            if _is_melee_foe(units, e, u, v, tables):
                dx, dy = units.x[e, v] - x, units.y[e, v] - y
                danger += 1. / max(dx * dx + dy * dy, 1e-3)
        if danger < least:
            best, least = action, danger
    return best
