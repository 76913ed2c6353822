"""Attacks: the weapon's phases, missiles; healing. Kernels over one battle."""
import math

from ding_qmix.numba_kernel import inline_kernel, inner_kernel
from ding_qmix.sim.beams import begin_beams
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.damage import burst, hit
from ding_qmix.sim.movement import walk
from ding_qmix.sim.rng import draw_fraction
from ding_qmix.sim.state import (
    BACKSWING,
    CLOSE,
    FIGHTING,
    MISSILE_SPEED,
    MISSILE_TARGET,
    MISSILE_X,
    MISSILE_Y,
    PHASE,
    READY,
    READY_FOR,
    STANCE,
    STRIKING,
    WINDING,
    WINDUP,
    Battle,
)
from ding_qmix.sim.unit_tables import (
    BACKSWING_TIME,
    DAMAGE_POINT,
    HEALTH_MAX,
    LOOPS_PER_SECOND,
    MELEE_PERIOD,
    MELEE_POINT,
    MELEE_RANGE,
    MISSILE_GAIN,
    MISSILE_START,
    MISSILE_TOP,
    PERIOD,
    RADIUS,
    RANGE,
    SECOND_HIT,
    SLOP,
    SPLASH,
    UnitTables,
)
from ding_qmix.sim.unit_types import BEAM, BURST
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, X, Y

HEAL_RANGE = 4.  # [map units] between edges; MedivacHeal, AbilData.xml
HEAL_RATE = 9. / LOOPS_PER_SECOND  # [hit points per game loop]
HEAL_COST = 0.33  # [energy points per hit point]


@inline_kernel
def gap(battle: Battle, tables: UnitTables, u: int, v: int) -> float:
    """Return the distance between the edges of two units, [map units]."""
    dx, dy = battle.unit[X, u] - battle.unit[X, v], battle.unit[Y, u] - battle.unit[Y, v]
    return math.sqrt(dx * dx + dy * dy) - tables.stats[RADIUS, u] - tables.stats[RADIUS, v]


@inner_kernel
def attack(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, target: int) -> None:
    """Spend one loop attacking a living target that u can hit: swing, wait for the weapon, or walk into range."""
    unit, physical, decision = battle.unit, battle.physical, battle.decision
    distance, weapon_range = gap(battle, tables, u, target), tables.stats[RANGE, u]
    if decision[PHASE, u] != READY:
        decision[STANCE, u] = FIGHTING
        _wind_on(battle, tables, calibration, u, target, distance)
    elif distance <= weapon_range:
        decision[STANCE, u] = FIGHTING
        if unit[COOLDOWN, u] <= 0.:
            _begin_attack(battle, tables, calibration, u, target, distance)
    elif physical[BACKSWING, u] > 0.:
        decision[STANCE, u] = FIGHTING
    else:
        walk(battle, tables, calibration, u, unit[X, target], unit[Y, target])


@inline_kernel
def cancel_attack(battle: Battle, u: int) -> None:
    """Break off an attack: before its damage point the weapon stays ready, after it a second hit is lost."""
    battle.decision[PHASE, u] = READY


@inner_kernel
def fly_missiles(battle: Battle, tables: UnitTables) -> None:
    """Move all missiles one loop towards their targets; one that arrives hits, one whose target is dead is gone."""
    unit, physical, decision = battle.unit, battle.physical, battle.decision
    for u in range(unit.shape[1]):
        target = decision[MISSILE_TARGET, u]
        if target < 0:
            continue
        if unit[HEALTH, target] <= 0.:
            decision[MISSILE_TARGET, u] = -1
            continue
        speed = min(tables.stats[MISSILE_TOP, u], physical[MISSILE_SPEED, u] + tables.stats[MISSILE_GAIN, u])
        physical[MISSILE_SPEED, u] = speed
        dx, dy = unit[X, target] - physical[MISSILE_X, u], unit[Y, target] - physical[MISSILE_Y, u]
        distance = math.sqrt(dx * dx + dy * dy)
        if distance - tables.stats[RADIUS, target] <= speed:
            decision[MISSILE_TARGET, u] = -1
            hit(battle, tables, u, target)
        else:
            physical[MISSILE_X, u] += dx * speed / distance
            physical[MISSILE_Y, u] += dy * speed / distance


@inline_kernel
def heal(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, patient: int) -> None:
    """Spend one loop healing a living patient, or flying towards it."""
    unit = battle.unit
    if gap(battle, tables, u, patient) > HEAL_RANGE:
        walk(battle, tables, calibration, u, unit[X, patient], unit[Y, patient])
        return
    amount = min(HEAL_RATE, tables.stats[HEALTH_MAX, patient] - unit[HEALTH, patient], unit[ENERGY, u] / HEAL_COST)
    unit[HEALTH, patient] += amount
    unit[ENERGY, u] = max(0., unit[ENERGY, u] - amount * HEAL_COST)


@inline_kernel
def _begin_attack(
        battle: Battle, tables: UnitTables, calibration: Calibration, u: int, target: int, distance: float
) -> None:
    """Begin an attack with a weapon that is ready."""
    stats = tables.stats
    close = distance <= stats[MELEE_RANGE, u] and stats[MELEE_RANGE, u] > 0.
    battle.decision[CLOSE, u] = close
    battle.physical[WINDUP, u] = stats[MELEE_POINT, u] if close else stats[DAMAGE_POINT, u]
    battle.decision[PHASE, u] = WINDING
    if battle.physical[WINDUP, u] <= 0.:
        _release(battle, tables, calibration, u, target)


@inline_kernel
def _wind_on(
        battle: Battle, tables: UnitTables, calibration: Calibration, u: int, target: int, distance: float
) -> None:
    """Advance an attack that has begun by one loop: to its damage point, or from there to its second hit."""
    physical, decision, stats = battle.physical, battle.decision, tables.stats
    physical[WINDUP, u] -= 1.
    if decision[PHASE, u] == STRIKING:
        if physical[WINDUP, u] <= 0.:
            decision[PHASE, u] = READY
            hit(battle, tables, u, target)
    elif distance > (stats[MELEE_RANGE, u] if decision[CLOSE, u] else stats[RANGE, u]) + stats[SLOP, u]:
        cancel_attack(battle, u)
    elif physical[WINDUP, u] <= 0.:
        _release(battle, tables, calibration, u, target)


@inner_kernel
def _release(battle: Battle, tables: UnitTables, calibration: Calibration, u: int, target: int) -> None:
    """Pass the damage point: hit at once, or launch the missile, begin the sweep, burst."""
    physical, decision, stats = battle.physical, battle.decision, tables.stats
    _reload(battle, tables, calibration, u)
    decision[PHASE, u] = READY
    physical[BACKSWING, u] = stats[BACKSWING_TIME, u]
    if stats[SPLASH, u] == BEAM:
        begin_beams(battle, u, target)
    elif stats[SPLASH, u] == BURST:
        burst(battle, u)
    elif stats[MISSILE_TOP, u] > 0. and not decision[CLOSE, u]:
        physical[MISSILE_X, u], physical[MISSILE_Y, u] = battle.unit[X, u], battle.unit[Y, u]
        physical[MISSILE_SPEED, u] = stats[MISSILE_START, u]
        decision[MISSILE_TARGET, u] = target
    else:
        hit(battle, tables, u, target)
        if stats[SECOND_HIT, u] > 0. and battle.unit[HEALTH, target] > 0.:
            decision[PHASE, u] = STRIKING
            physical[WINDUP, u] = stats[SECOND_HIT, u]


@inline_kernel
def _reload(battle: Battle, tables: UnitTables, calibration: Calibration, u: int) -> None:
    """
    Start the weapon's period, which counts from when the weapon was ready, not from the loop in which it was used.

    Source: recordings of the game: 29,158 periods of a marine are uniform on [12.77, 15.77] loops, 16,400 of a stalker
    on [28.92, 31.92]: the period of the data and a continuous delay of -1 to +2 loops, nothing rounded to whole loops;
    the new period shows from the damage point on.
    """
    physical, stats = battle.physical, tables.stats
    close = battle.decision[CLOSE, u]
    period, point = (stats[MELEE_PERIOD, u], stats[MELEE_POINT,
                                                   u]) if close else (stats[PERIOD, u], stats[DAMAGE_POINT, u])
    jitter = calibration.jitter_low + draw_fraction(battle.rng) * (calibration.jitter_high - calibration.jitter_low)
    passed = physical[READY_FOR, u] + point - physical[WINDUP, u]
    battle.unit[COOLDOWN, u] = max(0., period + jitter - passed)
