"""The allies: how SMAC's actions become orders, and how a unit that acts on orders alone carries them out."""

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.combat import attack, cancel_attack, heal
from ding_qmix.sim.movement import walk
from ding_qmix.sim.state import ATTACK, BACKSWING, GOAL_X, GOAL_Y, HEAL, IDLE, MOVE, ORDER, TARGET, Battle
from ding_qmix.sim.unit_tables import CANNOT_HIT, HEALS, HEALTH_MAX, UnitTables
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.smac.units import ENERGY, HEALTH, X, Y


@kernel
def give_order(battle: Battle, tables: UnitTables, u: int, action: int) -> None:
    """Turn a legal action into an order. One that the game rejects leaves the order before it in force."""
    if action == NO_OP:
        return
    if action >= FIRST_TARGET:
        _aim(battle, tables, u, action - FIRST_TARGET)
        return
    _replace_order(battle, u, IDLE if action == STOP else MOVE, -1)
    x, y = battle.unit[X, u], battle.unit[Y, u]
    if action == NORTH:
        y += tables.actions.move_amount
    elif action == SOUTH:
        y -= tables.actions.move_amount
    elif action == EAST:
        x += tables.actions.move_amount
    elif action == WEST:
        x -= tables.actions.move_amount
    battle.physical[GOAL_X, u], battle.physical[GOAL_Y, u] = x, y


@inline_kernel
def obey(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> None:
    """Carry out an order for one loop. Allies are passive: without an order to attack they never shoot."""
    order, target = battle.decision[ORDER, u], battle.decision[TARGET, u]
    if order == MOVE:
        if walk(battle, tables, calibration, u, battle.physical[GOAL_X, u], battle.physical[GOAL_Y, u]):
            battle.decision[ORDER, u] = IDLE
    elif order == ATTACK:
        if battle.unit[HEALTH, target] > 0.:
            attack(battle, tables, calibration, u, target)
        else:
            _replace_order(battle, u, IDLE, -1)
    elif order == HEAL:
        if _needs_healing(battle, tables, target) and battle.unit[ENERGY, u] > 0.:
            heal(battle, tables, calibration, u, target)
        else:
            _replace_order(battle, u, IDLE, -1)


@inline_kernel
def _aim(battle: Battle, tables: UnitTables, u: int, number: int) -> None:
    """Order an attack on an enemy, or to heal an ally; rejected if it cannot be hit, or needs no healing."""
    order, target = ATTACK, battle.unit_at[tables.n_agents + number]
    if tables.stats[HEALS, u] > 0.:
        order, target = HEAL, number
        if not _needs_healing(battle, tables, target) or battle.unit[ENERGY, u] <= 0.:
            return
    elif tables.rank[u, target] == CANNOT_HIT:
        return
    if battle.decision[ORDER, u] != order or battle.decision[TARGET, u] != target:
        _replace_order(battle, u, order, target)


@inline_kernel
def _replace_order(battle: Battle, u: int, order: int, target: int) -> None:
    """Give a new order, which breaks off an attack before its damage point, and the backswing after it."""
    cancel_attack(battle, u)
    battle.physical[BACKSWING, u] = 0.
    battle.decision[ORDER, u] = order
    battle.decision[TARGET, u] = target


@inline_kernel
def _needs_healing(battle: Battle, tables: UnitTables, u: int) -> bool:
    """Return whether a unit lives and is hurt."""
    return 0. < battle.unit[HEALTH, u] < tables.stats[HEALTH_MAX, u]
