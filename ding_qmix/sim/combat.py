"""Weapons, missiles, damage, healing. Kernels over one battle."""
import math

from ding_qmix.sim.arsenal import (
    ARMOR,
    BACKSWING_TIME,
    DAMAGE_MIN,
    DAMAGE_POINT,
    HEALTH_MAX,
    LOOPS_PER_SECOND,
    MISSILE_SPEED,
    PERIOD,
    RADIUS,
    RANGE,
    SLOP,
    Army,
)
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.movement import walk
from ding_qmix.sim.rng import draw_below
from ding_qmix.sim.state import (
    BACKSWING,
    FIGHTING,
    HURT_BY,
    IDLE,
    MISSILE_TARGET,
    MISSILE_X,
    MISSILE_Y,
    ORDER,
    PHASE,
    READY,
    STANCE,
    TARGET,
    WINDING,
    WINDUP,
    Battle,
)
from ding_qmix.smac.kernel import kernel
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y

HEAL_RANGE = 4.  # [map units] between edges; MedivacHeal, AbilData.xml
HEAL_RATE = 9. / LOOPS_PER_SECOND  # [hit points per game loop]
HEAL_COST = 0.33  # [energy points per hit point]


@kernel
def gap(battle: Battle, army: Army, u: int, v: int) -> float:
    """Return the distance between the edges of two units, [map units]."""
    dx, dy = battle.unit[X, u] - battle.unit[X, v], battle.unit[Y, u] - battle.unit[Y, v]
    return math.sqrt(dx * dx + dy * dy) - army.stats[RADIUS, u] - army.stats[RADIUS, v]


@kernel
def attack(battle: Battle, army: Army, knobs: SimKnobs, u: int, target: int) -> None:
    """Spend one loop attacking a living target that u can hit: swing, wait for the weapon, or walk into range."""
    unit, body, mind, stats = battle.unit, battle.body, battle.mind, army.stats
    distance = gap(battle, army, u, target)
    if mind[PHASE, u] == WINDING:
        body[WINDUP, u] -= 1.
        mind[STANCE, u] = FIGHTING
        if distance > stats[RANGE, u] + stats[SLOP, u]:
            cancel_attack(battle, u)
        elif body[WINDUP, u] <= 0.:
            _release(battle, army, u, target)
    elif distance <= stats[RANGE, u]:
        mind[STANCE, u] = FIGHTING
        if unit[COOLDOWN, u] <= 0.:
            jitter = knobs.jitter_low + draw_below(battle.rng, knobs.jitter_high - knobs.jitter_low + 1)
            unit[COOLDOWN, u] = stats[PERIOD, u] + jitter
            body[WINDUP, u] = stats[DAMAGE_POINT, u]
            mind[PHASE, u] = WINDING
            if body[WINDUP, u] <= 0.:
                _release(battle, army, u, target)
    elif body[BACKSWING, u] > 0.:
        mind[STANCE, u] = FIGHTING
    else:
        walk(battle, army, knobs, u, unit[X, target], unit[Y, target])


@kernel
def cancel_attack(battle: Battle, u: int) -> None:
    """Break off an attack before its damage point; the weapon is ready again at once."""
    if battle.mind[PHASE, u] == WINDING:
        battle.mind[PHASE, u] = READY
        battle.unit[COOLDOWN, u] = 0.


@kernel
def fly_missiles(battle: Battle, army: Army) -> None:
    """Move all missiles one loop towards their targets; one that arrives hits, one whose target is dead is gone."""
    unit, body, mind = battle.unit, battle.body, battle.mind
    for u in range(unit.shape[1]):
        target = mind[MISSILE_TARGET, u]
        if target < 0:
            continue
        if unit[HEALTH, target] <= 0.:
            mind[MISSILE_TARGET, u] = -1
            continue
        dx, dy = unit[X, target] - body[MISSILE_X, u], unit[Y, target] - body[MISSILE_Y, u]
        distance, speed = math.sqrt(dx * dx + dy * dy), army.stats[MISSILE_SPEED, u]
        if distance - army.stats[RADIUS, target] <= speed:
            mind[MISSILE_TARGET, u] = -1
            _hit(battle, army, u, target)
        else:
            body[MISSILE_X, u] += dx * speed / distance
            body[MISSILE_Y, u] += dy * speed / distance


@kernel
def heal(battle: Battle, army: Army, knobs: SimKnobs, u: int, patient: int) -> None:
    """Spend one loop healing a living patient, or flying towards it."""
    unit = battle.unit
    if gap(battle, army, u, patient) > HEAL_RANGE:
        walk(battle, army, knobs, u, unit[X, patient], unit[Y, patient])
        return
    amount = min(HEAL_RATE, army.stats[HEALTH_MAX, patient] - unit[HEALTH, patient], unit[ENERGY, u] / HEAL_COST)
    unit[HEALTH, patient] += amount
    unit[ENERGY, u] -= amount * HEAL_COST


@kernel
def _release(battle: Battle, army: Army, u: int, target: int) -> None:
    """Pass the damage point: hit at once, or launch the missile."""
    battle.mind[PHASE, u] = READY
    battle.body[BACKSWING, u] = army.stats[BACKSWING_TIME, u]
    if army.stats[MISSILE_SPEED, u] > 0.:
        battle.body[MISSILE_X, u], battle.body[MISSILE_Y, u] = battle.unit[X, u], battle.unit[Y, u]
        battle.mind[MISSILE_TARGET, u] = target
    else:
        _hit(battle, army, u, target)


@kernel
def _hit(battle: Battle, army: Army, u: int, target: int) -> None:
    """Deal one hit: shields take it first, armor lessens what reaches life, never below the minimum."""
    unit = battle.unit
    damage = army.damage[u, target]
    absorbed = min(unit[SHIELD, target], damage)
    unit[SHIELD, target] -= absorbed
    damage -= absorbed
    if damage > 0.:
        unit[HEALTH, target] -= max(damage - army.stats[ARMOR, target], DAMAGE_MIN)
    battle.mind[HURT_BY, target] = u
    if unit[HEALTH, target] <= 0.:
        _die(battle, target)


@kernel
def _die(battle: Battle, u: int) -> None:
    """Take a unit out of the battle; its missile flies on."""
    battle.unit[HEALTH, u] = 0.
    battle.unit[SHIELD, u] = 0.
    battle.unit[ENERGY, u] = 0.
    battle.unit[COOLDOWN, u] = 0.
    battle.mind[ORDER, u] = IDLE
    battle.mind[TARGET, u] = -1
    battle.mind[PHASE, u] = READY
