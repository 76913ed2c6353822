"""Tables of one map's units, built from its unit types."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ding_qmix.sim.unit_types import (
    BEAM,
    BURST,
    BURST_STRUCTURE_DAMAGE,
    OVERLAP,
    UnitType,
    unit_type,
)
from ding_qmix.smac.action_options import ActionOptions
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS

LOOPS_PER_SECOND = 16.  # [game loops per game second]; engine constant

# Rows of the statistics table
(
    RADIUS, SEPARATION, MAX_SPEED, ACCELERATION, FOOTING, ARMOR, RANGE, SCAN_RANGE, SLOP, PERIOD, DAMAGE_POINT,
    BACKSWING_TIME, SECOND_HIT, SPLASH, MELEE_RANGE, MELEE_POINT, MELEE_PERIOD, MISSILE_START, MISSILE_GAIN,
    MISSILE_TOP, NEAR_LAST_TARGET, HEALTH_MAX, SHIELD_MAX, ENERGY_MAX, HEALTH_REGEN, SHIELD_REGEN, ENERGY_REGEN, HEALS
) = range(28)
N_STATS = 28

CANNOT_HIT, CAN_HIT, THREAT = 0, 1, 2  # target ranks: of two targets the higher rank is taken
_DEFAULT_ACTIONS = ActionOptions()


class UnitTables(NamedTuple):
    """What never changes of a map's units, in SMAC's order, allies first."""
    n_agents: int
    actions: ActionOptions
    beams: bool  # some unit's weapon sweeps
    bursts: bool  # some unit bursts
    stats: np.ndarray  # float64 [N_STATS, U], distances in map units, times in game loops
    damage: np.ndarray  # float64 [U, U], of a hit of row on column before armor, [hit points]
    rank: np.ndarray  # int32 [U, U], how row ranks column as a target: CANNOT_HIT, CAN_HIT or THREAT
    reach: np.ndarray  # float64 [U, U], least distance of the centres of two units that collide, 0 if they do not
    healable: np.ndarray  # bool [U, U], row can heal column: a biological unit of its own side


def make_unit_tables(names: Sequence[str], n_agents: int, actions: ActionOptions = _DEFAULT_ACTIONS) -> UnitTables:
    """Lay the units of a map, in SMAC's order, out in tables."""
    side = [u < n_agents for u in range(len(names))]
    kinds = [unit_type(name, allied) for name, allied in zip(names, side)]
    pairs = [[(a, b, side[i] == side[j]) for j, b in enumerate(kinds)] for i, a in enumerate(kinds)]
    splashes = {kind.weapon.splash for kind in kinds if kind.weapon is not None}
    return UnitTables(
        n_agents=n_agents,
        actions=actions,
        beams=BEAM in splashes,
        bursts=BURST in splashes,
        stats=np.ascontiguousarray(np.array([_stats_column(*unit) for unit in zip(names, side)]).T),
        damage=np.array([[_damage(a, b) for a, b, _ in row] for row in pairs]),
        rank=np.array([[CANNOT_HIT if same else _rank(a, b) for a, b, same in row] for row in pairs], dtype=np.int32),
        reach=np.array([[reach(a, b) for a, b, _ in row] for row in pairs]),
        healable=np.array([[a.heals and same and 'biological' in b.attributes for a, b, same in row] for row in pairs]),
    )


def reach(a: UnitType, b: UnitType) -> float:
    """Return how close the centres of two units may come, 0 if the units pass through one another."""
    return a.separation + b.separation - OVERLAP if a.bumps & b.bumps else 0.


def _stats_column(name: str, allied: bool) -> np.ndarray:
    """Return one unit's column of the statistics table, in map units and game loops."""
    kind, vitals, second = unit_type(name, allied), UNIT_STATS[UNIT_NAMES.index(name)], LOOPS_PER_SECOND
    column = np.zeros(N_STATS)
    column[RADIUS], column[SEPARATION], column[ARMOR] = kind.radius, kind.separation, kind.armor
    column[MAX_SPEED], column[ACCELERATION] = kind.speed / second, kind.acceleration / second ** 2
    column[FOOTING], column[HEALS] = kind.footing, kind.heals
    column[HEALTH_MAX], column[SHIELD_MAX], column[ENERGY_MAX] = vitals.health, vitals.shield, vitals.energy_max
    column[HEALTH_REGEN], column[SHIELD_REGEN] = kind.health_regen / second, kind.shield_regen / second
    column[ENERGY_REGEN] = kind.energy_regen / second
    if kind.weapon is not None:
        weapon = kind.weapon
        column[RANGE], column[SLOP] = weapon.range, weapon.slop
        column[SCAN_RANGE] = max(weapon.scan_range, weapon.range)
        column[PERIOD], column[DAMAGE_POINT] = weapon.period * second, weapon.damage_point * second
        column[BACKSWING_TIME], column[SECOND_HIT] = weapon.backswing * second, weapon.second_hit * second
        column[SPLASH], column[NEAR_LAST_TARGET] = weapon.splash, weapon.near_last_target
        column[MELEE_RANGE], column[MELEE_POINT] = weapon.melee_range, weapon.melee_point * second
        column[MELEE_PERIOD] = weapon.melee_period * second
        column[MISSILE_START], column[MISSILE_TOP] = weapon.missile[0] / second, weapon.missile[2] / second
        column[MISSILE_GAIN] = weapon.missile[1] / second ** 2
    return column


def _damage(attacker: UnitType, target: UnitType) -> float:
    """Return the damage of one hit before armor, bonus included."""
    if attacker.weapon is None:
        return 0.
    if attacker.weapon.splash == BURST and 'structure' in target.attributes:
        return BURST_STRUCTURE_DAMAGE
    attribute, bonus = attacker.weapon.bonus
    return attacker.weapon.damage + (bonus if attribute in target.attributes else 0.)


def _rank(attacker: UnitType, target: UnitType) -> int:
    """Rank a target: a threat is one that could hit back, or is said to threaten always."""
    if not _can_hit(attacker, target):
        return CANNOT_HIT
    return THREAT if target.always_threatens or _can_hit(target, attacker) else CAN_HIT


def _can_hit(attacker: UnitType, target: UnitType) -> bool:
    """Return whether the attacker's weapon reaches the target's layer."""
    return attacker.weapon is not None and bool(attacker.weapon.layers & target.layer)
