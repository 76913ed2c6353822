"""
Puts situations into the simulator: the one place of the benchmark that knows how the simulator's state is laid out.
"""
from typing import NamedTuple

import numpy as np

from ding_qmix.sim import SimVecEnv, state
from ding_qmix.sim.unit_types import UNIT_TYPES
from ding_qmix.smac.rules import FIRST_TARGET
from ding_qmix.smac.units import COOLDOWN, HEALTH, SHIELD, UNIT_NAMES, X, Y

PHYSICAL, DECISION, OPTION = 'physical', 'decision', 'calibration'  # in SimState; of the env, uncertain facts
LOOPS_PER_SECOND = 16.  # [game loops per game second]


class Situation(NamedTuple):
    """What is known, or inferred, of E battles between two decisions."""
    x: np.ndarray  # float64 [E, U], [map units]; NaN for the dead
    y: np.ndarray  # float64 [E, U], [map units]
    health: np.ndarray  # float64 [E, U], [hit points]
    shield: np.ndarray  # float64 [E, U], [shield points]
    cooldown: np.ndarray  # float64 [E, U], [game loops]
    target: np.ndarray  # int64 [E, U], unit that the unit attacks, -1 none or unknown
    since_shot: np.ndarray  # float64 [E, U], [game loops] since the weapon was last fired, infinite if never
    second_hit: np.ndarray  # float64 [E, U], [game loops] until the second hit of an attack, 0 none
    calm: np.ndarray  # float64 [E, U], [game loops] since the unit was last hit, infinite if never


def place(env: SimVecEnv, situation: Situation) -> None:
    """
    Overview:
        Begin an episode in every env and put its units into a situation. The enemy's orders, and what is not part
        of a situation, are those of the new episode.
    """
    env.reset()
    saved = env.state_dict()
    unit, physical, decision = (np.array(saved[name]) for name in ('unit', PHYSICAL, DECISION))
    alive = situation.health > 0.
    unit[:, X] = np.where(alive, situation.x, unit[:, X])
    unit[:, Y] = np.where(alive, situation.y, unit[:, Y])
    unit[:, HEALTH], unit[:, SHIELD], unit[:, COOLDOWN] = situation.health, situation.shield, situation.cooldown
    _write_orders(env, decision, situation, alive)
    _write_attacks(env, unit, physical, decision, situation)
    physical[:, state.SHIELD_WAIT] = np.maximum(0., 160. - situation.calm)
    physical[:, state.LEASH_X], physical[:, state.LEASH_Y] = unit[:, X], unit[:, Y]
    saved.update({'unit': unit.tolist(), PHYSICAL: physical.tolist(), DECISION: decision.tolist()})
    env.load_state_dict(saved)


def _write_orders(env: SimVecEnv, decision: np.ndarray, situation: Situation, alive: np.ndarray) -> None:
    """Write whom the units attack; allies without a target do nothing."""
    n = env.spec.n_agents
    target = np.where(alive, situation.target, -1)
    decision[:, state.TARGET] = np.where(
        (decision[:, state.ORDER] == state.ATTACK) & alive, decision[:, state.TARGET], target
    )
    decision[:, state.ORDER, :n] = np.where(target[:, :n] >= 0, state.ATTACK, state.IDLE)
    decision[:, state.ORDER] = np.where(alive, decision[:, state.ORDER], state.IDLE)


def _write_attacks(
        env: SimVecEnv, unit: np.ndarray, physical: np.ndarray, decision: np.ndarray, situation: Situation
) -> None:
    """Write attacks before their damage point, missiles in flight, and second hits that are to come."""
    for u, name in enumerate(unit_names(env)):
        weapon, target = UNIT_TYPES[name].weapon, situation.target[:, u]
        if weapon is None:
            continue
        aims = (target >= 0) & (situation.health[:, u] > 0.)
        wait = weapon.damage_point * LOOPS_PER_SECOND - situation.since_shot[:, u]
        winding, striking = aims & (wait > 0.), aims & (situation.second_hit[:, u] > 0.)
        decision[:, state.PHASE, u] = np.select([winding, striking], [state.WINDING, state.STRIKING], state.READY)
        physical[:, state.WINDUP, u] = np.select([winding, striking], [wait, situation.second_hit[:, u]], 0.)
        if weapon.missile[2] > 0.:
            _write_missile(unit, physical, decision, u, np.where(aims & ~winding, target, -1), -wait, weapon.missile)


def _write_missile(
        unit: np.ndarray, physical: np.ndarray, decision: np.ndarray, u: int, target: np.ndarray, age: np.ndarray,
        missile: tuple[float, float, float]
) -> None:
    """Write the missiles of one unit that were launched ``age`` [game loops] ago and are still on their way."""
    rows = np.arange(len(target))
    dx, dy = unit[rows, X, target] - unit[:, X, u], unit[rows, Y, target] - unit[:, Y, u]
    start, gain, top = missile
    seconds = np.where(np.isfinite(age), age, 1e6) / LOOPS_PER_SECOND
    speeding = np.minimum(seconds, (top - start) / gain)
    distance = np.hypot(dx, dy)
    flown = start * speeding + gain * speeding ** 2 / 2. + top * (seconds - speeding)
    flies = (target >= 0) & (flown < distance)
    share = np.where(flies, flown / np.maximum(distance, 1e-9), 0.)
    decision[:, state.MISSILE_TARGET, u] = np.where(flies, target, -1)
    physical[:, state.MISSILE_X, u] = unit[:, X, u] + dx * share
    physical[:, state.MISSILE_Y, u] = unit[:, Y, u] + dy * share
    physical[:, state.MISSILE_SPEED, u] = np.where(flies, (start + gain * speeding) / LOOPS_PER_SECOND, 0.)


def unit_names(env: SimVecEnv) -> list[str]:
    """Return the types of the env's units."""
    return [UNIT_NAMES[i] for i in env.units().unit_type[0]]


def target_of(action: np.ndarray, n_agents: int) -> np.ndarray:
    """Return the enemy, as unit, that each action attacks, -1 if none."""
    return np.where(action >= FIRST_TARGET, action - FIRST_TARGET + n_agents, -1)
