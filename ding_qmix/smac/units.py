"""
The unit table and the statistics of the unit types that SMAC's rules look at.

A unit table is float64 [FIELDS, U]: one row per field, allies first. A dead unit has health 0. The statistics are those
of StarCraft II's VoidMulti catalogue, see ding_qmix.sim.unit_types; the hydralisk, always an ally, is Liberty's copy.
"""
from typing import NamedTuple

X, Y = 0, 1  # [map units]
HEALTH, SHIELD, ENERGY = 2, 3, 4  # [hit points], [shield points], [energy points]
COOLDOWN = 5  # [game loops] until the weapon is ready
N_FIELDS = 6


class UnitStats(NamedTuple):
    """Statistics of one unit type."""
    name: str
    health: float  # [hit points]
    shield: float  # [shield points]
    energy_start: float  # [energy points] when created
    energy_max: float  # [energy points]
    cooldown_scale: float  # [game loops], or [energy points] for the medivac: what SMAC divides by in the state


# health, shield, energy: SC2GameData mods core to voidmulti, build 4.10; the maps' Hydralisk_RL (read exactly).
# cooldown_scale: oxwhirl/smac starcraft2.py unit_max_cooldown (read exactly; not the true maxima, kept for parity).
UNIT_STATS: tuple[UnitStats, ...] = (
    UnitStats('marine', 45., 0., 0., 0., 15.),
    UnitStats('marauder', 125., 0., 0., 0., 25.),
    UnitStats('medivac', 150., 0., 50., 200., 200.),
    UnitStats('stalker', 80., 80., 0., 0., 35.),
    UnitStats('zealot', 100., 50., 0., 0., 22.),
    UnitStats('colossus', 200., 150., 0., 0., 24.),
    UnitStats('zergling', 35., 0., 0., 0., 11.),
    UnitStats('baneling', 30., 0., 0., 0., 1.),
    UnitStats('hydralisk', 80., 0., 0., 0., 10.),
    UnitStats('spine_crawler', 300., 0., 0., 0., 15.),
)
UNIT_NAMES: tuple[str, ...] = tuple(stats.name for stats in UNIT_STATS)
