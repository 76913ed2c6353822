"""
What each unit type is made of in battle: body, movement, weapon; and the tables of one map's army built from it.

Source: SC2GameData mods core + liberty, build 4.6.2 (the combat fields are the same in 4.10), read exactly; the SMAC
maps depend on Liberty alone, so ladder values do not apply. Game seconds are those of normal speed: 16 game loops.
"""
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS

LOOPS_PER_SECOND = 16.  # [game loops per game second]; engine constant
LOOPS_PER_STEP = 8  # [game loops per env step]; step_mul in oxwhirl/smac starcraft2.py
DAMAGE_MIN = 0.5  # [hit points] least damage of a hit to life; GameData.xml
INSTANT = 1000.  # [map units per s^2] acceleration that means "at once"; UnitData.xml

GROUND, AIR = 1, 2  # layers, as bits

# Rows of the statistics table
(
    RADIUS, SEPARATION, MAX_SPEED, ACCELERATION, ARMOR, RANGE, SCAN_RANGE, SLOP, PERIOD, DAMAGE_POINT, BACKSWING_TIME,
    MISSILE_SPEED, HEALTH_MAX, SHIELD_MAX, ENERGY_MAX, ENERGY_REGEN, HEALS, FLIES
) = range(18)
N_STATS = 18

CANNOT_HIT, CAN_HIT, THREAT = 0, 1, 2  # target ranks: of two targets the higher rank is taken


class Weapon(NamedTuple):
    """One weapon; class defaults of WeaponData.xml where no value is given."""
    damage: float  # [hit points]
    range: float  # [map units] between the units' edges
    period: float  # [game seconds]
    damage_point: float = 0.167  # [game seconds] from the start of an attack to the hit, or to the missile's launch
    backswing: float = 0.5  # [game seconds] after it during which the unit does not walk on by itself
    bonus: Tuple[str, float] = ('', 0.)  # (attribute, [hit points]) added before armor
    layers: int = GROUND | AIR  # that it can hit
    missile_speed: float = 0.  # [map units per game second], 0 = instant
    slop: float = 1.  # [map units] beyond its range at which an attack once begun still completes
    scan_range: float = 5.  # [map units] least distance within which targets are acquired


class UnitType(NamedTuple):
    """Body and weapon of one unit type."""
    radius: float  # [map units], for ranges
    separation: float  # [map units] radius, for collisions
    speed: float  # [map units per game second]
    armor: float  # [hit points] taken off every hit to life
    attributes: Tuple[str, ...]
    weapon: Optional[Weapon] = None
    acceleration: float = INSTANT  # [map units per game second^2]
    layer: int = GROUND
    always_threatens: bool = False  # ranked as a threat although unarmed
    heals: bool = False
    energy_regen: float = 0.  # [energy points per game second]


UNIT_TYPES: Dict[str, UnitType] = {
    'marine': UnitType(
        .375, .375, 2.25, 0., ('light', 'biological'), Weapon(6., 5., .8608, damage_point=.05, backswing=.75)
    ),
    'marauder': UnitType(
        .5625, .5, 2.25, 1., ('armored', 'biological'),
        Weapon(10., 6., 1.5, 0., 0., bonus=('armored', 10.), layers=GROUND, missile_speed=20.)
    ),
    'medivac': UnitType(
        .75, .75, 2.75, 1., ('armored', 'mechanical'), acceleration=2.3125, layer=AIR, always_threatens=True,
        heals=True, energy_regen=.5625
    ),
}


class Army(NamedTuple):
    """The units of one map in SMAC's order, allies first."""
    n_agents: int
    stats: np.ndarray  # float64 [N_STATS, U], distances in map units, times in game loops
    damage: np.ndarray  # float64 [U, U], of a hit of row on column before armor, [hit points]
    rank: np.ndarray  # int32 [U, U], how row ranks column as a target: CANNOT_HIT, CAN_HIT or THREAT
    reach: np.ndarray  # float64 [U, U], least distance of the centres of two units that collide, 0 if they do not
    healable: np.ndarray  # bool [U, U], row can heal column: a biological unit of its own side


def check_simulated(map_name: str, names: Sequence[str]) -> None:
    """Raise a ValueError that names the units of a map that cannot be simulated."""
    missing = sorted(set(names) - set(UNIT_TYPES))
    if missing:
        raise ValueError(
            f'map {map_name} needs {", ".join(missing)}, which the simulator does not have; '
            f'it has {", ".join(UNIT_TYPES)}'
        )


def make_army(names: Sequence[str], n_agents: int) -> Army:
    """Lay the units of a map, in SMAC's order, out in tables."""
    kinds = [UNIT_TYPES[name] for name in names]
    side = [u < n_agents for u in range(len(names))]
    pairs = [[(a, b, side[i] == side[j]) for j, b in enumerate(kinds)] for i, a in enumerate(kinds)]
    return Army(
        n_agents=n_agents,
        stats=np.ascontiguousarray(np.array([_stats_column(name) for name in names]).T),
        damage=np.array([[_damage(a, b) for a, b, _ in row] for row in pairs]),
        rank=np.array([[CANNOT_HIT if same else _rank(a, b) for a, b, same in row] for row in pairs], dtype=np.int32),
        reach=np.array([[_reach(a, b) for a, b, _ in row] for row in pairs]),
        healable=np.array([[a.heals and same and 'biological' in b.attributes for a, b, same in row] for row in pairs]),
    )


def _stats_column(name: str) -> np.ndarray:
    """Return one unit's column of the statistics table, in map units and game loops."""
    kind, vitals, second = UNIT_TYPES[name], UNIT_STATS[UNIT_NAMES.index(name)], LOOPS_PER_SECOND
    column = np.zeros(N_STATS)
    column[RADIUS], column[SEPARATION], column[ARMOR] = kind.radius, kind.separation, kind.armor
    column[MAX_SPEED], column[ACCELERATION] = kind.speed / second, kind.acceleration / second ** 2
    column[HEALTH_MAX], column[SHIELD_MAX], column[ENERGY_MAX] = vitals.health, vitals.shield, vitals.energy_max
    column[ENERGY_REGEN], column[HEALS] = kind.energy_regen / second, kind.heals
    column[FLIES] = kind.layer == AIR
    if kind.weapon is not None:
        weapon = kind.weapon
        column[RANGE], column[SLOP] = weapon.range, weapon.slop
        column[SCAN_RANGE] = max(weapon.scan_range, weapon.range)
        column[PERIOD], column[DAMAGE_POINT] = weapon.period * second, weapon.damage_point * second
        column[BACKSWING_TIME] = weapon.backswing * second
        column[MISSILE_SPEED] = weapon.missile_speed / second
    return column


def _damage(attacker: UnitType, target: UnitType) -> float:
    """Return the damage of one hit before armor, bonus included."""
    if attacker.weapon is None:
        return 0.
    attribute, bonus = attacker.weapon.bonus
    return attacker.weapon.damage + (bonus if attribute in target.attributes else 0.)


def _rank(attacker: UnitType, target: UnitType) -> int:
    """Rank a target: a threat is one that could hit back, or is said to threaten always."""
    if not _can_hit(attacker, target):
        return CANNOT_HIT
    return THREAT if target.always_threatens or _can_hit(target, attacker) else CAN_HIT


def _can_hit(attacker: UnitType, target: UnitType) -> bool:
    """Say whether the attacker's weapon reaches the target's layer."""
    return attacker.weapon is not None and bool(attacker.weapon.layers & target.layer)


def _reach(a: UnitType, b: UnitType) -> float:
    """Return how close two centres may come, 0 if the units pass through one another."""
    return a.separation + b.separation if a.layer == b.layer else 0.
