"""
What each unit type is made of in battle: size, movement, weapon.

Source: SC2GameData mods core, liberty, swarm, void and voidmulti, one on top of the other, build 4.10, read exactly (of
these units 4.6.2 differs in the hydralisk's period alone). The maps declare Liberty, but recordings of the game list
VoidMulti, too, and logs bear it out: a stalker takes 13 from a shield. Game seconds are those of normal speed: 16 game
loops. ``UNIT_TYPES`` are the stock units, which the enemy gets; the allies are the maps' own copies of Liberty's units
with the weapons of the stock units: see ``unit_type``.
"""
from typing import NamedTuple, Optional

INSTANT = 1000.  # [map units per s^2] acceleration that means "at once"; UnitData.xml

GROUND, AIR = 1, 2  # layers, as bits
WALKS, CLIMBS, FLIES = 2, 1, 0  # least footing that a unit needs, see ding_qmix.sim.pathing

# What a unit bumps into, as bits: two units collide if they share one; UnitData.xml Collide.
SOIL, BUILDINGS, GIANTS, SKY = 1, 2, 4, 8

NO_SPLASH, BEAM, BURST = 0, 1, 2  # BEAM: a sweep across the line of fire; BURST: a disc around the unit, which dies


class Weapon(NamedTuple):
    """One weapon; class defaults of WeaponData.xml where no value is given."""
    damage: float  # [hit points]
    range: float  # [map units] between the units' edges
    period: float  # [game seconds]
    damage_point: float = 0.167  # [game seconds] from the start of an attack to the hit, or to the missile's launch
    backswing: float = 0.5  # [game seconds] after it during which the unit does not walk on by itself
    bonus: tuple[str, float] = ('', 0.)  # (attribute, [hit points]) added before armor
    layers: int = GROUND | AIR  # that it can hit
    missile: tuple[float, float, float] = (0., 0., 0.)  # speed at launch, acceleration per s, top speed, [map units/s]
    slop: float = 1.  # [map units] beyond its range at which an attack once begun still completes
    scan_range: float = 5.  # [map units] least distance within which targets are acquired
    second_hit: float = 0.  # [game seconds] after the first, 0 = there is none
    splash: int = NO_SPLASH
    melee_range: float = 0.  # [map units] within which a variant that hits at once is used, 0 = there is none
    melee_point: float = 0.  # [game seconds] damage point of that variant
    melee_period: float = 0.  # [game seconds]
    near_last_target: bool = False  # of several targets takes the one nearest to its last target, not to itself


class UnitType(NamedTuple):
    """Size, movement and weapon of one unit type."""
    radius: float  # [map units], for ranges
    separation: float  # [map units] radius, for collisions
    speed: float  # [map units per game second]
    armor: float  # [hit points] taken off every hit to life
    attributes: tuple[str, ...]
    weapon: Optional[Weapon] = None
    acceleration: float = INSTANT  # [map units per game second^2]
    layer: int = GROUND  # bits: weapons that hit any of them hit the unit
    footing: int = WALKS
    bumps: int = SOIL
    always_threatens: bool = False  # ranked as a threat although unarmed
    heals: bool = False
    energy_regen: float = 0.  # [energy points per game second]
    shield_regen: float = 0.  # [shield points per game second], from SHIELD_DELAY after the last damage on
    health_regen: float = 0.  # [hit points per game second], always


_PROTOSS, _ZERG = 2., 0.2734  # regeneration of shields and of zerg life, [points per game second]
# Units stand closer than their radii add up to by this much, [map units]: recorded neighbours of all types do.
OVERLAP = .0615
# Burst of a baneling against structures instead of its usual damage, [hit points].
BURST_STRUCTURE_DAMAGE = 80.

# yapf: disable
UNIT_TYPES: dict[str, UnitType] = {
    'marine': UnitType(
        .375, .375, 2.25, 0., ('light', 'biological'),
        Weapon(6., 5., .8608, damage_point=.05, backswing=.75, scan_range=5.5)
    ),
    'marauder': UnitType(
        .5625, .5, 2.25, 1., ('armored', 'biological'),
        Weapon(10., 6., 1.5, 0., 0., bonus=('armored', 10.), layers=GROUND, missile=(20., 3200., 20.), scan_range=6.5)
    ),
    'medivac': UnitType(
        .75, .75, 2.5, 1., ('armored', 'mechanical'), acceleration=2.25, layer=AIR, footing=FLIES, bumps=SKY,
        heals=True, energy_regen=.5625
    ),
    'stalker': UnitType(
        .625, .625, 2.9531, 1., ('armored', 'mechanical'),
        Weapon(13., 6., 1.87, bonus=('armored', 5.), missile=(18.75, 3200., 18.75), scan_range=6.5),
        shield_regen=_PROTOSS
    ),
    'zealot': UnitType(
        .5, .375, 2.25, 1., ('light', 'biological'),
        Weapon(8., .1, 1.2, damage_point=0., layers=GROUND, second_hit=.28), shield_regen=_PROTOSS
    ),
    'colossus': UnitType(
        1., .75, 2.25, 1., ('armored', 'mechanical', 'massive'),
        Weapon(
            10., 7., 1.5, .0832, bonus=('light', 5.), layers=GROUND, slop=0., scan_range=7.5, splash=BEAM,
            near_last_target=True
        ),
        layer=GROUND | AIR, footing=CLIMBS, bumps=GIANTS | BUILDINGS | SKY, shield_regen=_PROTOSS
    ),
    'zergling': UnitType(
        .375, .375, 2.9531, 0., ('light', 'biological'), Weapon(5., .1, .696, layers=GROUND), health_regen=_ZERG
    ),
    'baneling': UnitType(
        .375, .375, 2.5, 0., ('biological', ),
        Weapon(20., .25, .833, damage_point=0., bonus=('light', 15.), layers=GROUND, splash=BURST), health_regen=_ZERG
    ),
    'hydralisk': UnitType(
        .625, .5, 2.25, 0., ('light', 'biological'),
        Weapon(
            12., 5., .825, .208, missile=(40., 3200., 40.), scan_range=5.5, melee_range=.5, melee_point=.3,
            melee_period=.75
        ),
        health_regen=_ZERG
    ),
    'spine_crawler': UnitType(
        .875, .875, 0., 2., ('armored', 'biological', 'structure'),
        Weapon(25., 7., 1.85, .3332, bonus=('armored', 5.), layers=GROUND, missile=(12., 140., 200.), slop=0.),
        acceleration=0., bumps=SOIL | BUILDINGS, health_regen=_ZERG
    ),
}
# yapf: enable

# What the allies' copies have unlike the stock units; UnitData.xml of the maps' archives (`*_RL`).
_ALLY_TYPES: dict[str, UnitType] = {
    'medivac': UNIT_TYPES['medivac']._replace(speed=2.75, acceleration=2.3125, always_threatens=True),
}


def unit_type(name: str, allied: bool) -> UnitType:
    """Return what a unit of the allies or of the enemy is made of."""
    return _ALLY_TYPES.get(name, UNIT_TYPES[name]) if allied else UNIT_TYPES[name]
