"""
What a recording does not say is inferred from it: whom the enemies attack and when they fired last, from the drops of
the allies' health; where the allies' attacks are, from their cooldowns.
"""
from typing import Any, NamedTuple

import numpy as np
from calibration_motion import headed_ally
from calibration_state import LOOPS_PER_SECOND, Situation, target_of
from calibration_traces import LOOPS_PER_STEP, Trace

from ding_qmix.sim.unit_types import UNIT_TYPES

_SLACK = 1.5  # [map units] that a target may have walked since it was shot at
_JITTER = 2.  # [game loops] by which a weapon's period may differ from its mean


class EnemyAttacks(NamedTuple):
    """What the enemies were at, in each row of a trace."""
    since_shot: np.ndarray  # float64 [E, T, M], [game loops], infinite if never
    target: np.ndarray  # int64 [E, T, M], ally that is attacked, -1 none
    second_hit: np.ndarray  # float64 [E, T, M], [game loops] until the second hit, 0 none


class _Weapons(NamedTuple):
    """The enemies' weapons as measured in the game."""
    period: np.ndarray  # float64 [M], [game loops]
    hit: np.ndarray  # float64 [M], [points] before armor
    reach: np.ndarray  # float64 [M, N], [map units] between centres
    second: np.ndarray  # float64 [M], [game loops] to the second hit, 0 if there is none


def weapon_period(name: str, measured: dict[str, Any]) -> float:
    """Return a weapon's mean period, [game loops], as measured in the game; from the unit's data if nobody did."""
    weapon = UNIT_TYPES[name].weapon
    return measured['period'].get(name, weapon.period * LOOPS_PER_SECOND + .5 if weapon else np.inf)


def hit_delay(name: str, distance: np.ndarray) -> np.ndarray:
    """Return the [game loops] from the start of an attack to its hit on a target this far away, [map units]."""
    weapon = UNIT_TYPES[name].weapon
    if weapon is None:
        return np.zeros_like(distance)
    start, gain, top = weapon.missile
    flight = np.zeros_like(distance)
    if top > 0.:
        speeding = np.minimum(distance, (top * top - start * start) / (2. * gain))  # way on which it grows faster
        flight = (np.sqrt(start * start + 2. * gain * speeding) - start) / gain + (distance - speeding) / top
    return (weapon.damage_point + flight) * LOOPS_PER_SECOND


def infer_attacks(trace: Trace, measured: dict[str, Any]) -> EnemyAttacks:
    """
    Overview:
        Give each hit that the allies took to an enemy in reach, to the one that fired longest ago, then to the
        nearest. An enemy attacks whom it hit last, or whom it has clearly walked towards since.
    Arguments:
        - measured: 'period' and 'hit' by unit type, as measured in the game
    """
    weapons = _enemy_weapons(trace, measured)
    n_envs, n_rows = trace.x.shape[:2]
    shape = (n_envs, n_rows, len(weapons.period))
    found = EnemyAttacks(np.full(shape, np.inf), np.full(shape, -1), np.zeros(shape))
    drop = -np.diff(trace.vitals[:, :, :trace.n_agents], axis=1)
    headed = headed_ally(trace)[0]
    for e in range(n_envs):
        for t in range(1, int(trace.n_rows[e])):
            found.since_shot[e, t] = found.since_shot[e, t - 1] + LOOPS_PER_STEP
            found.target[e, t] = np.where(headed[e, t - 1] >= 0, headed[e, t - 1], found.target[e, t - 1])
            for ally in np.flatnonzero(drop[e, t - 1] > .5):
                _give_hits(trace, weapons, found, e, t, int(ally))
            dead = (trace.health[e, t, :trace.n_agents] <= 0.)[found.target[e, t]]
            found.target[e, t, dead | (found.target[e, t] < 0)] = -1
    return found


def situations(
        trace: Trace, envs: np.ndarray, rows: np.ndarray, attacks: EnemyAttacks, measured: dict[str, Any]
) -> Situation:
    """Return the situations of rows (int [k]) of episodes (int [k]) of a trace."""
    n = trace.n_agents
    before = trace.action[envs, np.maximum(rows - 1, 0)]
    ally_target = np.where((rows > 0)[:, None], target_of(before, n), -1)
    gone = trace.health[envs[:, None], rows[:, None], np.maximum(ally_target, 0)] <= 0.
    ally_target = np.where(gone, -1, ally_target)
    cooldown = np.nan_to_num(trace.cooldown[envs, rows])
    ally_period = np.array([weapon_period(name, measured) for name in trace.unit_type[:n]])
    enemy_period = np.array([weapon_period(name, measured) for name in trace.unit_type[n:]])
    since = _begin_attacks(trace, envs, rows, attacks, enemy_period)
    k = len(envs)
    return Situation(
        x=trace.x[envs, rows],
        y=trace.y[envs, rows],
        health=trace.health[envs, rows],
        shield=trace.shield[envs, rows],
        cooldown=np.concatenate([cooldown, np.maximum(enemy_period - since, 0.)], 1),
        target=np.concatenate([ally_target, attacks.target[envs, rows]], 1),
        since_shot=np.concatenate([np.where(cooldown > 0., np.maximum(ally_period - cooldown, 0.), np.inf), since], 1),
        second_hit=np.concatenate([np.zeros((k, n)), attacks.second_hit[envs, rows]], 1),
        calm=_calm(trace)[envs, rows]
    )


def _begin_attacks(
        trace: Trace, envs: np.ndarray, rows: np.ndarray, attacks: EnemyAttacks, period: np.ndarray
) -> np.ndarray:
    """Return the time since the enemies' last attacks, [k, M]; those whose hit is still to come have begun, too."""
    n, since = trace.n_agents, attacks.since_shot[envs, rows].copy()
    target = np.maximum(attacks.target[envs, rows], 0)
    for u, name in enumerate(trace.unit_type[n:]):
        dx, dy = (a[envs, rows, target[:, u]] - a[envs, rows, n + u] for a in (trace.x, trace.y))
        late = since[:, u] - period[u]
        begun = (attacks.target[envs, rows, u] >= 0) & (late > 0.) & (late < hit_delay(name, np.hypot(dx, dy)))
        since[begun, u] = late[begun]
    return since


def _shot_time(expected: float, low: float, high: float) -> float:
    """Return when an attack began, [game loops] ago: as the last one makes expect, within bounds; else their middle."""
    if low - _JITTER <= expected <= high + _JITTER:
        return min(max(expected, low), high)
    return (low + high) / 2.


def _give_hits(trace: Trace, weapons: _Weapons, found: EnemyAttacks, e: int, t: int, ally: int) -> None:
    """Give the hits that an ally took in the step before row t to enemies."""
    left = _n_hits(trace, weapons, e, t, ally)
    n = trace.n_agents
    dx, dy = (a[e, t - 1, n:] - a[e, t - 1, ally] for a in (trace.x, trace.y))
    distance = np.where(trace.health[e, t - 1, n:] > 0., np.hypot(dx, dy), np.inf)
    ready = found.since_shot[e, t]
    for u in np.lexsort((distance, -np.minimum(ready, 1e6))):
        if left <= 0:
            return
        struck = found.second_hit[e, t - 1, u] > 0. and found.target[e, t - 1, u] == ally
        if struck:
            left -= 1
        elif distance[u] <= weapons.reach[u, ally] + _SLACK and ready[u] >= weapons.period[u] - 2. - LOOPS_PER_STEP:
            found.target[e, t, u] = ally
            second = weapons.second[u]
            both = second > 0. and left > 1
            left -= 2 if both else 1
            delay = float(hit_delay(trace.unit_type[n + u], distance[u]))
            low, high = (0., second) if second > 0. and not both else (max(delay, second), delay + LOOPS_PER_STEP)
            found.since_shot[e, t, u] = _shot_time(ready[u] - weapons.period[u], low, high)
            if second > 0. and not both:
                found.second_hit[e, t, u] = second - found.since_shot[e, t, u]


def _n_hits(trace: Trace, weapons: _Weapons, e: int, t: int, ally: int) -> int:
    """Return how many hits took what an ally lost in the step before row t; at least one."""
    shield = trace.shield[e, t - 1, ally] - trace.shield[e, t, ally]
    health = trace.health[e, t - 1, ally] - trace.health[e, t, ally]
    armor = UNIT_TYPES[trace.unit_type[ally]].armor
    hit = float(weapons.hit.mean())
    return max(1, round(max(shield, 0.) / hit + max(health, 0.) / (hit - armor)))


def _enemy_weapons(trace: Trace, measured: dict[str, Any]) -> _Weapons:
    """Return the enemies' weapons."""
    n = trace.n_agents
    kinds = [UNIT_TYPES[name] for name in trace.unit_type]
    weapons = [kind.weapon for kind in kinds[n:]]
    return _Weapons(
        period=np.array([weapon_period(name, measured) for name in trace.unit_type[n:]]),
        hit=np.array(
            [
                measured['hit'].get(name, weapon.damage if weapon else np.inf)
                for name, weapon in zip(trace.unit_type[n:], weapons)
            ]
        ),
        reach=np.array(
            [
                [(weapon.range if weapon else -np.inf) + kind.radius + ally.radius for ally in kinds[:n]]
                for kind, weapon in zip(kinds[n:], weapons)
            ]
        ),
        second=np.array([weapon.second_hit * LOOPS_PER_SECOND if weapon else 0. for weapon in weapons])
    )


def _calm(trace: Trace) -> np.ndarray:
    """Return the [game loops] since each unit last lost anything, float [E, T, U], infinite if never."""
    calm = np.full(trace.x.shape, np.inf)
    hurt = np.diff(trace.vitals, axis=1) < -.5
    for t in range(1, calm.shape[1]):
        calm[:, t] = np.where(hurt[:, t - 1], LOOPS_PER_STEP / 2., calm[:, t - 1] + LOOPS_PER_STEP)
    return calm
