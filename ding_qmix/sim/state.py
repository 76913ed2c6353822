"""State of the simulated battles: one table of what SMAC sees, two of what only the simulator knows."""
from typing import NamedTuple

import numpy as np

from ding_qmix.spec import VecStep

# Rows of `physical`
(
    SPEED,  # [map units per loop] now
    STEP_X,
    STEP_Y,  # [map units] walked in this loop by own will; holds while the stance is WALKING
    GOAL_X,
    GOAL_Y,  # [map units] destination of a move or attack-move order
    WINDUP,  # [game loops] until the damage point of the attack that has begun, or until its second hit
    READY_FOR,  # [game loops] below 1 for which a weapon has been ready that was not before this loop, else 0
    BACKSWING,  # [game loops] during which the unit does not walk on by itself
    MISSILE_X,
    MISSILE_Y,  # [map units] the unit's missile in flight
    MISSILE_SPEED,  # [map units per loop]
    LEASH_X,
    LEASH_Y,  # [map units] where the unit acquired its target
    LOOK_WAIT,  # [game loops] until the enemy looks for targets again
    HELP_WAIT,  # [game loops] until the unit may call for help again
    SHIELD_WAIT,  # [game loops] until the shield grows again
    BEAM_X,
    BEAM_Y,  # [map units] middle of the line that the unit's beams sweep
    BEAM_DX,
    BEAM_DY,  # direction of that line, length 1
) = range(20)
N_PHYSICAL = 20

# Rows of `decision`
(
    ORDER,  # one of the orders below
    TARGET,  # unit that the order or the unit itself aims at, -1 none
    PHASE,  # READY, WINDING or STRIKING
    CLOSE,  # 1 if the attack that has begun is the melee variant
    STANCE,  # STILL, WALKING or FIGHTING, in this loop
    MISSILE_TARGET,  # unit that the missile in flight aims at, -1 no missile
    HURT_BY,  # unit that hit this one since it last acted, -1 none
    BEAM_AGE,  # [game loops] since the unit's beams began, 1 in the first, 0 none
    SWEPT,  # bits of the beams that have touched this unit in their present sweep
    DUE,  # hits of beams on their way to this unit: 4 bits for each of the next game loops
    DUE_FROM,  # unit whose beam touched this one last
) = range(11)
N_DECISION = 11

IDLE, MOVE, ATTACK, HEAL, ATTACK_MOVE, GUARD = range(6)  # orders; GUARD: stand and acquire targets
READY, WINDING, STRIKING = 0, 1, 2  # phases of the weapon; STRIKING: the second hit is to come
STILL, WALKING, FIGHTING = 0, 1, 2  # stances: what others can push


class SimState(NamedTuple):
    """E battles. The generators are part of it; what never changes is in Rules, UnitTables and PathingMap."""
    unit: np.ndarray  # float64 [E, N_FIELDS, U], see ding_qmix.smac.units
    unit_at: np.ndarray  # int32 [E, U], where in these tables a unit is that SMAC numbers u: enemies change places
    physical: np.ndarray  # float64 [E, N_PHYSICAL, U]
    decision: np.ndarray  # int32 [E, N_DECISION, U]
    rng: np.ndarray  # uint64 [E], generator states
    next_rng: np.ndarray  # uint64 [E], generator states to take at the next reset, 0 none
    last_action: np.ndarray  # int32 [E, N], -1 before the first
    episode_step: np.ndarray  # int64 [E], [env steps] played in the episode
    episode_return: np.ndarray  # float64 [E], sum of the episode's rewards


class Request(NamedTuple):
    """What the caller asks of E battles."""
    active: np.ndarray  # bool [E], the battles that it is asked of
    actions: np.ndarray  # int64 [E, N], the agents' actions, where a step is asked for


class FinalUnits(NamedTuple):
    """The units as they were when each env's last episode ended."""
    unit: np.ndarray  # float64 [E, N_FIELDS, U]
    unit_at: np.ndarray  # int32 [E, U]
    target: np.ndarray  # int32 [E, U]


class Output(NamedTuple):
    """What E battles show."""
    step: VecStep
    final_units: FinalUnits


class Scratch(NamedTuple):
    """Memory in which E battles work; it holds nothing between two calls."""
    floats: np.ndarray  # float64 [E, N_FLOATS, U + 4]
    ints: np.ndarray  # int32 [E, N_INTS, U + 4]


# Rows of `floats`; but for the last they hold nothing between two game loops
(
    LIVING_X,
    LIVING_Y,  # [map units] where the living units are, in order of turn
    LIVING_RADIUS,  # [map units] their separation radius
    ALLY_BOX,  # least and greatest x, least and greatest y of the living allies, [map units]
    VITALS,  # [points] health plus shield before the env step
) = range(5)
N_FLOATS = 5

# Rows of `ints`; they hold nothing between two game loops
(
    TURN,  # living units in the order in which they act in this loop
    OVERLAPS,  # 1 where one of them overlaps the one looked at
    BURSTING,  # how many units that died have yet to burst, then which
) = range(3)
N_INTS = 3


class Battle(NamedTuple):
    """One battle: views into SimState, the map's pathing, and memory to work in."""
    unit: np.ndarray  # float64 [N_FIELDS, U]
    unit_at: np.ndarray  # int32 [U]
    physical: np.ndarray  # float64 [N_PHYSICAL, U]
    decision: np.ndarray  # int32 [N_DECISION, U]
    rng: np.ndarray  # uint64 [1]
    footing: np.ndarray  # int8 [MAP_SIZE, MAP_SIZE], see ding_qmix.sim.pathing
    route: np.ndarray  # int16 [cells, cells], see ding_qmix.sim.pathing
    floats: np.ndarray  # float64 [N_FLOATS, U + 4]
    ints: np.ndarray  # int32 [N_INTS, U + 4]
