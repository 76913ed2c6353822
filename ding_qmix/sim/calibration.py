"""
Calibration knobs: what the game's data and published observations leave open, each a named number with its default.

Everything else in the simulator is read or derived from the game's data and is not a matter of choice.
"""
from typing import NamedTuple


class SimKnobs(NamedTuple):
    """Uncertain facts. Results of runs with other values than the defaults are not comparable."""
    spawn_spacing: float = 1.0  # [separation diameters] between neighbours of a type at the start; true layout unknown
    reset_loops: int = 1  # [game loops] the battle has run when agents see it first; SMAC's reset lets 1 or 2 pass
    jitter_low: int = -1  # [game loops] shortest random change of a weapon's period, drawn per shot
    jitter_high: int = 2  # [game loops] longest; whole loops, all equally likely
    chase_leash: float = 21.0  # [map units] from where it acquired it an enemy chases a target beyond scan range
    help_radius: float = 4.0  # [map units] within which an enemy that is hit alerts others without a target
    help_period: float = 32.0  # [game loops] between two calls for help of one unit
    arrive_radius: float = 0.5  # [map units] from its destination an attack-moving enemy comes to rest
    scan_move: bool = True  # the enemy medivac advances with the attack order and heals; False: it waits at its spawn
    hunt_on: bool = False  # after its target died an enemy that was told to attack the allies attacks the next one
    slide_gain: float = 1.0  # [fraction] of the way lost to an obstacle that a unit makes good by sliding along it
    headon_sine: float = 0.6  # [1] sine of the angle within which a walker passes an obstacle on the side of its number
    map_edge: float = 0.0  # [map units] from the edge of the map that flying units keep
