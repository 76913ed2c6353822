"""When weapons fire, seen through the allies' cooldowns of a trace. Every function returns samples, float [n]."""
import numpy as np
from calibration_traces import LOOPS_PER_STEP, Trace

from ding_qmix.smac.rules import FIRST_TARGET, NORTH, WEST

_STILL = 1e-3  # [map units] within which a unit has not moved
# [degrees] between a walk and the direction of the target
WALKS = {'towards the target': (0., 45.), 'across the line to it': (75., 105.), 'away from it': (135., 180.)}


def shot_intervals(trace: Trace, unit_type: str) -> np.ndarray:
    """
    Overview:
        Return the [game loops] from one expiry of a cooldown to the next, of allies of a type that stood and attacked
        one target all the while: the weapon's period, if a weapon that is ready fires at once.
    """
    expiry, shot, action = _expiry(trace), _shots(trace), trace.action
    samples = []
    for e, u in _allies(trace, unit_type):
        rows = np.flatnonzero(shot[e, :, u])
        for first, last in zip(rows[:-1], rows[1:]):
            same = action[e, first - 1:last, u]
            still = np.ptp(trace.x[e, first:last + 1, u]) < _STILL and np.ptp(trace.y[e, first:last + 1, u]) < _STILL
            if same[0] >= FIRST_TARGET and (same == same[0]).all() and still:
                samples.append(expiry[e, last, u] - expiry[e, first, u])
    return np.array(samples)


def first_shot_loops(trace: Trace, unit_type: str, walk: str, reach: float) -> np.ndarray:
    """
    Overview:
        Return the [game loops] from an attack order to the shot, for allies of a type with a ready weapon that walked
        before, their target within ``reach`` [map units] between centres; the weapon's mean period is taken from the
        same trace, so each sample carries the period's random part.
    Arguments:
        - walk: one of WALKS
    """
    intervals = shot_intervals(trace, unit_type)
    if not len(intervals):
        return intervals
    low, high = WALKS[walk]
    expiry, shot = _expiry(trace), _shots(trace)
    e, t, u = _where(trace, unit_type, shot[:, 1:], 1)  # the shot shows in row t + 1
    before, now = trace.action[e, t - 1, u], trace.action[e, t, u]
    keep = (t > 0) & (before >= NORTH) & (before <= WEST) & (now >= FIRST_TARGET) & (trace.cooldown[e, t, u] <= 0.)
    e, t, u, before, now = (a[keep] for a in (e, t, u, before, now))
    target = trace.n_agents + now - FIRST_TARGET
    dx, dy = trace.x[e, t, target] - trace.x[e, t, u], trace.y[e, t, target] - trace.y[e, t, u]
    walk_x, walk_y = np.array([(0., 1.), (0., -1.), (1., 0.), (-1., 0.)])[before - NORTH].T.reshape(2, -1)
    distance = np.hypot(dx, dy)
    with np.errstate(invalid='ignore', divide='ignore'):
        angle = np.degrees(np.arccos(np.clip((dx * walk_x + dy * walk_y) / distance, -1., 1.)))
    keep = (angle >= low) & (angle <= high) & (distance <= reach)
    return (expiry[e, t + 1, u] - LOOPS_PER_STEP * t)[keep] - intervals.mean()


def firing_distance(trace: Trace, unit_type: str) -> np.ndarray:
    """Return the [map units] between the centres of ally and target at shots in steps in which neither moved."""
    e, t, u = _where(trace, unit_type, _shots(trace)[:, 1:], 1)
    action = trace.action[e, t, u]
    e, t, u, target = (a[action >= FIRST_TARGET] for a in (e, t, u, trace.n_agents + action - FIRST_TARGET))
    still = np.ones(len(e), dtype=np.bool_)
    for unit in (u, target):
        step = np.hypot(trace.x[e, t + 1, unit] - trace.x[e, t, unit], trace.y[e, t + 1, unit] - trace.y[e, t, unit])
        still &= step < _STILL
    return np.hypot(trace.x[e, t, u] - trace.x[e, t, target], trace.y[e, t, u] - trace.y[e, t, target])[still]


def damage_gaps(trace: Trace, longest: int) -> np.ndarray:
    """Return the [env steps] between steps in which the allies were hurt, up to ``longest``: a lone enemy's period."""
    samples = []
    hurt = (np.diff(trace.vitals[:, :, :trace.n_agents], axis=1) < -.5).any(2) & trace.pairs
    for row in hurt:
        gaps = np.diff(np.flatnonzero(row))
        samples.append(gaps[gaps <= longest])
    return np.concatenate(samples).astype(np.float64)


def _expiry(trace: Trace) -> np.ndarray:
    """Return at which [game loop] each cooldown that is running ends, [E, T, N]."""
    return trace.cooldown + LOOPS_PER_STEP * np.arange(trace.cooldown.shape[1])[None, :, None]


def _shots(trace: Trace) -> np.ndarray:
    """Return where a cooldown is running that was not before, bool [E, T, N]."""
    shot = np.zeros(trace.cooldown.shape, dtype=np.bool_)
    left = np.maximum(trace.cooldown[:, :-1] - LOOPS_PER_STEP, 0.)
    shot[:, 1:] = (trace.cooldown[:, 1:] > left + 1.) & trace.pairs[:, :, None]
    return shot


def _allies(trace: Trace, unit_type: str) -> list[tuple[int, int]]:
    """Return (env, unit) of all allies of a type."""
    units = [u for u in range(trace.n_agents) if trace.unit_type[u] == unit_type]
    return [(e, u) for e in range(len(trace.x)) for u in units]


def _where(trace: Trace, unit_type: str, mask: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return env, row and unit where a mask [E, T', N] holds for allies of a type, from row ``first`` on."""
    is_type = np.array([name == unit_type for name in trace.unit_type[:trace.n_agents]])
    e, t, u = np.nonzero(mask & is_type)
    keep = t >= first
    return e[keep], t[keep], u[keep]
