"""
The enemy: units that got one attack-move order when they spawned and otherwise follow the engine's own rules.

No retreat, no kiting, no deliberate focus fire: the maps start no computer player, so its difficulty does not matter.
"""
import math

from ding_qmix.numba_kernel import inline_kernel
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.combat import attack, cancel_attack, gap, heal
from ding_qmix.sim.movement import walk
from ding_qmix.sim.state import (
    ALLY_BOX,
    ATTACK,
    ATTACK_MOVE,
    BACKSWING,
    FIGHTING,
    GOAL_X,
    GOAL_Y,
    GUARD,
    HELP_WAIT,
    HURT_BY,
    LEASH_X,
    LEASH_Y,
    LOOK_WAIT,
    ORDER,
    PHASE,
    READY,
    STANCE,
    TARGET,
    Battle,
)
from ding_qmix.sim.unit_tables import (
    CANNOT_HIT,
    HEALS,
    HEALTH_MAX,
    MAX_SPEED,
    NEAR_LAST_TARGET,
    RADIUS,
    RANGE,
    SCAN_RANGE,
    UnitTables,
)
from ding_qmix.smac.units import ENERGY, HEALTH, X, Y

BOX_MARGIN = 1.5  # [map units] more than an ally's radius and its way in one game loop
AUTOCAST_RANGE = 6.  # [map units] between edges within which a medivac looks for patients; MedivacHeal, AbilData.xml
ATTACKER = 3  # rank of a foe that has the order to attack the unit, above the ranks of unit_tables
AUTOCAST_ENERGY = 5.  # [energy points] needed to begin; MedivacHeal, AbilData.xml


@inline_kernel
def fight_on(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> None:
    """Act for one loop: attack or heal whom the unit has chosen, else walk on."""
    decision = battle.decision
    looks = _is_time_to_look(battle, calibration, u)
    if decision[HURT_BY, u] >= 0:
        looks = True
        _respond(battle, tables, calibration, u, decision[HURT_BY, u])
    if tables.stats[HEALS, u]:
        patient = _choose_patient(battle, tables, u)
        if patient >= 0:
            heal(battle, tables, calibration, u, patient)
            return
    else:
        target = _hunt(battle, tables, calibration, u) if decision[ORDER, u] == ATTACK else -1
        if target < 0:
            target = _choose_target(battle, tables, calibration, u, looks)
        if target >= 0:
            attack(battle, tables, calibration, u, target)
            return
    if battle.physical[BACKSWING, u] > 0.:
        decision[STANCE, u] = FIGHTING
    elif decision[ORDER, u] == ATTACK_MOVE:
        _march(battle, tables, calibration, u)


@inline_kernel
def _march(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> None:
    """Walk on towards the destination of the attack-move and stay there."""
    goal_x, goal_y = battle.physical[GOAL_X, u], battle.physical[GOAL_Y, u]
    dx, dy = goal_x - battle.unit[X, u], goal_y - battle.unit[Y, u]
    if dx * dx + dy * dy <= calibration.arrive_radius * calibration.arrive_radius:
        battle.decision[ORDER, u] = GUARD
    else:
        walk(battle, tables, calibration, u, goal_x, goal_y)


@inline_kernel
def _hunt(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> int:
    """Return the foe that u was ordered to attack; once it is dead stand guard (``hunt_on``: attack the next)."""
    target = battle.decision[TARGET, u]
    if target >= 0 and battle.unit[HEALTH, target] > 0.:
        return target
    cancel_attack(battle, u)
    target = nearest_foe(battle, tables, u) if calibration.hunt_on else -1
    if target < 0:
        battle.decision[ORDER, u] = GUARD
    _aim_at(battle, u, target)
    return target


@inline_kernel
def nearest_foe(battle: Battle, tables: UnitTables, u: int) -> int:
    """Return the nearest living ally that an enemy can hit, at any distance, -1 if there is none."""
    best, best_square = -1, math.inf
    for foe in range(tables.n_agents):
        dx, dy = battle.unit[X, foe] - battle.unit[X, u], battle.unit[Y, foe] - battle.unit[Y, u]
        square = dx * dx + dy * dy
        if battle.unit[HEALTH, foe] > 0. and tables.rank[u, foe] > CANNOT_HIT and square < best_square:
            best, best_square = foe, square
    return best


@inline_kernel
def _is_time_to_look(battle: Battle, calibration: Calibration, u: int) -> bool:
    """Let a unit's clock run for a loop; return whether it looks for targets in this one."""
    battle.physical[LOOK_WAIT, u] -= 1.
    if battle.physical[LOOK_WAIT, u] > 0.:
        return False
    battle.physical[LOOK_WAIT, u] += calibration.look_period
    return True


@inline_kernel
def _choose_target(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, looks: bool) -> int:
    """
    At a look take the highest ranked, then nearest in scan range; but stay with a target in weapon range that is not
    outranked. If there is none in scan range chase on.

    Source: recordings of the game. 2m_vs_1z, 3s_vs_4z: zealots leave even a target beside them for an ally with the
    order to attack them (within 8 loops, in 2m_vs_1z at the same loop of 8 all episode long; at once when it hits
    them), and of several walk to the nearest, while orders to attack others count nothing. 2s_vs_1sc: the spine
    crawler stays with a stalker when another that attacks it comes nearer, and leaves it when it stops attacking.
    """
    unit, decision, physical = battle.unit, battle.decision, battle.physical
    kept = last = decision[TARGET, u]
    if kept >= 0 and unit[HEALTH, kept] <= 0.:
        cancel_attack(battle, u)
        kept, looks = -1, True
    if not looks or (kept >= 0 and decision[PHASE, u] != READY):
        return kept
    target = _scan(battle, tables, u, last if tables.stats[NEAR_LAST_TARGET, u] > 0. and last >= 0 else u)
    if kept >= 0 and target >= 0 and _holds(battle, tables, u, kept, target):
        return kept
    if kept >= 0 and target < 0 and tables.stats[MAX_SPEED, u] > 0.:
        dx, dy = unit[X, u] - physical[LEASH_X, u], unit[Y, u] - physical[LEASH_Y, u]
        if dx * dx + dy * dy <= calibration.chase_leash * calibration.chase_leash:
            return kept
    _aim_at(battle, u, target)
    return target


@inline_kernel
def _holds(battle: Battle, tables: UnitTables, u: int, kept: int, other: int) -> bool:
    """Return whether u stays with a target: the other does not outrank it, and it is in weapon range."""
    outranked = _rank(battle, tables, u, kept) < _rank(battle, tables, u, other)
    return not outranked and gap(battle, tables, u, kept) <= tables.stats[RANGE, u]


@inline_kernel
def _rank(battle: Battle, tables: UnitTables, u: int, foe: int) -> int:
    """Rank a foe as target of u: one that has the order to attack u stands above all others."""
    rank, decision = tables.rank[u, foe], battle.decision
    attacked = decision[ORDER, foe] == ATTACK and decision[TARGET, foe] == u
    return ATTACKER if attacked and rank > CANNOT_HIT else rank


@inline_kernel
def _scan(battle: Battle, tables: UnitTables, u: int, center: int) -> int:
    """Return the highest ranked, then nearest to unit ``center``, foe within scan range of u, -1 if there is none."""
    unit, stats, box = battle.unit, tables.stats, battle.floats[ALLY_BOX]
    x, y, reach = unit[X, u], unit[Y, u], stats[SCAN_RANGE, u] + stats[RADIUS, u]
    aside_x, aside_y = max(box[0] - x, x - box[1], 0.), max(box[2] - y, y - box[3], 0.)
    if aside_x * aside_x + aside_y * aside_y > (reach + BOX_MARGIN) ** 2:
        return -1
    best, best_rank, best_square = -1, CANNOT_HIT, math.inf
    for foe in range(tables.n_agents):
        rank = _rank(battle, tables, u, foe)
        if unit[HEALTH, foe] <= 0. or rank <= CANNOT_HIT or rank < best_rank:
            continue
        dx, dy, limit = unit[X, foe] - x, unit[Y, foe] - y, reach + stats[RADIUS, foe]
        square = dx * dx + dy * dy
        if square > limit * limit:
            continue
        if center != u:
            square = (unit[X, foe] - unit[X, center]) ** 2 + (unit[Y, foe] - unit[Y, center]) ** 2
        if rank > best_rank or square < best_square:
            best, best_rank, best_square = foe, rank, square
    return best


@inline_kernel
def _aim_at(battle: Battle, u: int, target: int) -> None:
    """Take a new target, or none, and remember where."""
    if target != battle.decision[TARGET, u]:
        battle.decision[TARGET, u] = target
        battle.physical[LEASH_X, u], battle.physical[LEASH_Y, u] = battle.unit[X, u], battle.unit[Y, u]


@inline_kernel
def _respond(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, attacker: int) -> None:
    """Having been hit without a target of one's own, turn on the attacker, and call for help now and then."""
    unit, decision, physical = battle.unit, battle.decision, battle.physical
    decision[HURT_BY, u] = -1
    if unit[HEALTH, attacker] <= 0.:
        return
    _turn_on(battle, tables, u, attacker)
    if physical[HELP_WAIT, u] > 0.:
        return
    physical[HELP_WAIT, u] = calibration.help_period
    for friend in range(tables.n_agents, unit.shape[1]):
        dx, dy = unit[X, friend] - unit[X, u], unit[Y, friend] - unit[Y, u]
        if unit[HEALTH, friend] > 0. and dx * dx + dy * dy <= calibration.help_radius * calibration.help_radius:
            _turn_on(battle, tables, friend, attacker)


@inline_kernel
def _turn_on(battle: Battle, tables: UnitTables, u: int, attacker: int) -> None:
    """Take the attacker as target if the unit has none and can hit it."""
    if battle.decision[TARGET, u] < 0 and tables.rank[u, attacker] > CANNOT_HIT:
        _aim_at(battle, u, attacker)


@inline_kernel
def _choose_patient(battle: Battle, tables: UnitTables, u: int) -> int:
    """Keep healing the patient until it is whole; else take the one with the lowest life fraction, then the nearest."""
    unit, stats = battle.unit, tables.stats
    kept = battle.decision[TARGET, u]
    if kept >= 0 and 0. < unit[HEALTH, kept] < stats[HEALTH_MAX, kept] and unit[ENERGY, u] > 0.:
        return kept
    best, best_life, best_gap = -1, 1., math.inf
    if unit[ENERGY, u] >= AUTOCAST_ENERGY:
        for friend in range(tables.n_agents, unit.shape[1]):
            if unit[HEALTH, friend] <= 0. or not tables.healable[u, friend]:
                continue
            life, distance = unit[HEALTH, friend] / stats[HEALTH_MAX, friend], gap(battle, tables, u, friend)
            if distance <= AUTOCAST_RANGE and (life < best_life or (life == best_life < 1. and distance < best_gap)):
                best, best_life, best_gap = friend, life, distance
    _aim_at(battle, u, best)
    return best
