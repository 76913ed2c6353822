"""State of the simulated battles: one table of what SMAC sees, two of what only the simulator knows."""
from typing import NamedTuple

import numpy as np

# Rows of `body`
(
    SPEED,  # [map units per loop] now
    STEP_X, STEP_Y,  # [map units] walked in this loop by own will
    GOAL_X, GOAL_Y,  # [map units] destination of a move or attack-move order
    WINDUP,  # [game loops] until the damage point of the attack that has begun
    BACKSWING,  # [game loops] during which the unit does not walk on by itself
    MISSILE_X, MISSILE_Y,  # [map units] the unit's missile in flight
    LEASH_X, LEASH_Y,  # [map units] where the unit acquired its target
    HELP_WAIT,  # [game loops] until the unit may call for help again
) = range(12)
N_BODY = 12

# Rows of `mind`
(
    ORDER,  # one of the orders below
    TARGET,  # unit that the order or the unit itself aims at, -1 none
    PHASE,  # READY or WINDING
    STANCE,  # STILL, WALKING or FIGHTING, in this loop
    MISSILE_TARGET,  # unit that the missile in flight aims at, -1 no missile
    HURT_BY,  # unit that hit this one since it last acted, -1 none
) = range(6)
N_MIND = 6

IDLE, MOVE, ATTACK, HEAL, ATTACK_MOVE, GUARD = range(6)  # orders; GUARD: stand and acquire targets
READY, WINDING = 0, 1  # phases of the weapon
STILL, WALKING, FIGHTING = 0, 1, 2  # stances: what others can push


class SimState(NamedTuple):
    """E battles. The generators are part of it; what never changes is in Rules and Army."""
    unit: np.ndarray  # float64 [E, N_FIELDS, U], see ding_qmix.smac.units
    body: np.ndarray  # float64 [E, N_BODY, U]
    mind: np.ndarray  # int32 [E, N_MIND, U]
    rng: np.ndarray  # uint64 [E], generator states
    next_rng: np.ndarray  # uint64 [E], generator states to take at the next reset, 0 none
    last_action: np.ndarray  # int32 [E, N], -1 before the first
    episode_step: np.ndarray  # int64 [E], [env steps] played in the episode


class Battle(NamedTuple):
    """One battle: views into SimState, and room to work."""
    unit: np.ndarray  # float64 [N_FIELDS, U]
    body: np.ndarray  # float64 [N_BODY, U]
    mind: np.ndarray  # int32 [N_MIND, U]
    rng: np.ndarray  # uint64 [1]
    pathable: np.ndarray  # bool [MAP_SIZE, MAP_SIZE], indexed [x, y]
    turn: np.ndarray  # int32 [U], living units in the order in which they act in this loop
