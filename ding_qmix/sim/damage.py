"""Hits, deaths, and units that burst when they die. Kernels over one battle."""
from ding_qmix.numba_kernel import inline_kernel, inner_kernel
from ding_qmix.sim.state import BURSTING, DUE, HURT_BY, IDLE, ORDER, PHASE, READY, SHIELD_WAIT, TARGET, Battle
from ding_qmix.sim.unit_tables import ARMOR, CANNOT_HIT, RADIUS, SPLASH, UnitTables
from ding_qmix.sim.unit_types import BURST
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y

DAMAGE_MIN = 0.5  # [hit points] least damage of a hit to life; GameData.xml
SHIELD_DELAY = 160.  # [game loops] without damage until a shield grows; 10 s, UnitData.xml
BURST_RADIUS = 2.2  # [map units] from the baneling's centre to the edge of who is hit; WeaponData.xml VolatileBurst


@inline_kernel
def hit(battle: Battle, tables: UnitTables, u: int, target: int) -> None:
    """Deal one hit: shields take it first, armor lessens what reaches life, never below the minimum."""
    unit = battle.unit
    damage = tables.damage[u, target]
    absorbed = min(unit[SHIELD, target], damage)
    unit[SHIELD, target] -= absorbed
    damage -= absorbed
    if damage > 0.:
        unit[HEALTH, target] -= max(damage - tables.stats[ARMOR, target], DAMAGE_MIN)
    battle.physical[SHIELD_WAIT, target] = SHIELD_DELAY
    battle.decision[HURT_BY, target] = u
    if unit[HEALTH, target] <= 0.:
        die(battle, target)
        if tables.stats[SPLASH, target] == BURST:
            _add_burst(battle, target)


@inline_kernel
def die(battle: Battle, u: int) -> None:
    """Take a unit out of the battle; its missile flies on."""
    battle.unit[HEALTH, u] = 0.
    battle.unit[SHIELD, u] = 0.
    battle.unit[ENERGY, u] = 0.
    battle.unit[COOLDOWN, u] = 0.
    battle.decision[ORDER, u] = IDLE
    battle.decision[TARGET, u] = -1
    battle.decision[PHASE, u] = READY
    battle.decision[DUE, u] = 0


@inline_kernel
def burst(battle: Battle, u: int) -> None:
    """Let a unit blow itself up; the explosion comes with ``settle_bursts``, and no second one for its death."""
    die(battle, u)
    _add_burst(battle, u)


@inner_kernel
def settle_bursts(battle: Battle, tables: UnitTables) -> None:
    """Hit every foe around each unit that burst, and around each that bursts of that, until all is quiet."""
    unit, bursting = battle.unit, battle.ints[BURSTING]
    while bursting[0] > 0:
        u = bursting[bursting[0]]
        bursting[0] -= 1
        for foe in range(unit.shape[1]):
            if unit[HEALTH, foe] <= 0. or tables.rank[u, foe] == CANNOT_HIT:
                continue
            dx, dy, limit = unit[X, foe] - unit[X, u], unit[Y, foe] - unit[Y, u], BURST_RADIUS + tables.stats[RADIUS,
                                                                                                              foe]
            if dx * dx + dy * dy <= limit * limit:
                hit(battle, tables, u, foe)


@inline_kernel
def _add_burst(battle: Battle, u: int) -> None:
    """Note that a unit that died has yet to burst."""
    battle.ints[BURSTING, 0] += 1
    battle.ints[BURSTING, battle.ints[BURSTING, 0]] = u
