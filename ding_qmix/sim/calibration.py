"""
What the game's data and published observations leave open: each a named number with its default.

Everything else in the simulator is read or derived from the game's data and is not a matter of choice.
"""
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple


class Calibration(NamedTuple):
    """Uncertain facts. Results of runs with other values than the defaults are not comparable."""
    spawn_spacing: float = 1.0  # [diameters] between neighbours of a type at the start, but for recorded mixed groups
    reset_loops: int = 1  # [game loops] the battle has run when agents see it first; none after a new seed
    late_resets: float = .0005  # [fraction] of episodes that agents see one loop later: recorded once in 2,000
    permute_enemies: bool = True  # each episode numbers the enemies anew, as the game does; False: in order of creation
    jitter_low: float = -1.0  # [game loops] least random change of a weapon's period, drawn per shot
    jitter_high: float = 2.0  # [game loops] greatest; any number between the two, all equally likely
    look_period: int = 8  # [game loops] between two looks of an enemy for targets
    chase_leash: float = 21.0  # [map units] from where it acquired it an enemy chases a target beyond scan range
    help_radius: float = 4.0  # [map units] within which an enemy that is hit alerts others without a target
    help_period: float = 32.0  # [game loops] between two calls for help of one unit
    arrive_radius: float = 0.5  # [map units] from its destination an attack-moving enemy comes to rest
    scan_move: bool = True  # the enemy medivac advances with the attack order and heals; False: it waits at its spawn
    hunt_on: bool = False  # after its target died an enemy that was told to attack the allies attacks the next one
    slide_gain: float = 1.0  # [fraction] of the way lost to an obstacle that a unit makes good by sliding along it
    headon_sine: float = 0.6  # [1] sine of the angle within which a walker passes an obstacle on the side of its number
    map_edge: float = 0.0  # [map units] from the edge of the map that flying units keep


def rename_knobs(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    Overview:
        Return options of an env with ``calibration`` under this name, where its former name 'knobs' was given.
    Raises:
        - ValueError: values were given under both names
    """
    renamed = dict(options)
    if 'knobs' in renamed:
        warnings.warn("option 'knobs' is now 'calibration'; the old name ends with this version", DeprecationWarning, 3)
        values = renamed.pop('knobs')
        if values and renamed.get('calibration'):
            raise ValueError("'calibration' and its former name 'knobs' are both given; give calibration alone")
        renamed['calibration'] = values or renamed.get('calibration') or {}
    return renamed


def __getattr__(name: str) -> Any:
    if name == 'SimKnobs':
        warnings.warn('SimKnobs is now Calibration; the old name ends with this version', DeprecationWarning, 2)
        return Calibration
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
