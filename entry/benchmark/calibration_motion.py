"""Where units stand at first and how far they walk, in a trace. Every function returns samples, float [n]."""
from collections import Counter

import numpy as np
from calibration_traces import Trace

from ding_qmix.sim.unit_types import UNIT_TYPES
from ding_qmix.smac.rules import FIRST_TARGET, NORTH, WEST

_MARCH_ROWS = 3  # [env steps] at the start in which armies 14 apart do not meet
_RARE = 0.02  # share of the episodes below which an order of the enemies is passed over
_ALIGNED, _CLEAR = 10., 15.  # [degrees] between a step and its goal, and by which any other goal must be farther off
_NEAR = 9.  # [map units] between centres of an enemy and an ally that it walks towards
_SCAN = 5.8  # [map units] between centres, a little less than where a zealot acquires marines and stalkers
_TOUCH = 0.15  # [map units] between edges below which two units may push each other


def ally_walks(trace: Trace, unit_type: str, after_attack: bool = False) -> np.ndarray:
    """
    Overview:
        Return the [map units] that allies of a type came along the axis of a move order in a step, nobody near them
        before and after it. What was stopped by terrain, less than a tenth, is left out.
    Arguments:
        - after_attack: only moves right after an attack order; else only those right after the same order
    """
    move = (trace.action >= NORTH) & (trace.action <= WEST)
    now, before = trace.action[:, 1:-1], trace.action[:, :-2]
    chosen = move[:, 1:-1] & ((before >= FIRST_TARGET) if after_attack else (before == now))
    n = trace.n_agents
    free = free_units(trace)[:, :, :n]
    is_type = np.array([name == unit_type for name in trace.unit_type[:n]])
    chosen &= free[:, 1:-1] & free[:, 2:] & trace.pairs[:, 1:, None] & is_type
    dx, dy = (np.diff(a[:, 1:, :n], axis=1) for a in (trace.x, trace.y))
    along = np.select([now == NORTH, now == NORTH + 1, now == NORTH + 2], [dy, -dy, dx], -dx)[chosen]
    return along[along > 0.1]


def first_walks(trace: Trace, unit_type: str) -> np.ndarray:
    """Return the [map units] that allies of a type came in the first step of an episode that they walk in."""
    n = trace.n_agents
    is_type = np.array([name == unit_type for name in trace.unit_type[:n]])
    first = trace.action[:, 0]
    chosen = (first >= NORTH) & (first <= WEST) & is_type
    return np.hypot(trace.x[:, 1, :n] - trace.x[:, 0, :n], trace.y[:, 1, :n] - trace.y[:, 0, :n])[chosen]


def march_walks(trace: Trace) -> np.ndarray:
    """Return the [map units] that each enemy came in each of the first three steps."""
    dx, dy = _march(trace)
    return np.hypot(dx, dy).ravel()


def march_heading(trace: Trace) -> np.ndarray:
    """Return the heading of the enemies' first three steps, [degrees] from east, one per episode and enemy."""
    dx, dy = (d.sum(1) for d in _march(trace))
    return np.degrees(np.arctan2(dy, dx)).ravel() % 360.


def march_fan(trace: Trace) -> np.ndarray:
    """Return by how many [degrees] the headings of an episode's enemies differ: 0 when they walk in parallel."""
    dx, dy = (d.sum(1) for d in _march(trace))
    return np.ptp(np.degrees(np.arctan2(dy, dx)) % 360., axis=1)


def first_positions(trace: Trace, axis: str, side: str) -> np.ndarray:
    """Return an episode's mean x or y [map units] of a side's units at the first observation."""
    units = slice(None, trace.n_agents) if side == 'allies' else slice(trace.n_agents, None)
    return getattr(trace, axis)[:, 0, units].mean(1)


def heads_for_nearest(trace: Trace) -> np.ndarray:
    """
    Overview:
        Return for each step in which an enemy clearly walked towards one ally near it 1 if that ally was the nearest,
        else 0; only steps in which nobody attacked this enemy, or the nearest did.
    """
    ally, nearest, attacker, by_nearest = _choices(trace)
    seen = (ally >= 0) & (by_nearest | (attacker < 0))
    return (nearest == ally)[seen].astype(np.float64)


def heads_for_attacker(trace: Trace) -> np.ndarray:
    """
    Overview:
        Return for each step in which an enemy clearly walked towards one ally near it 1 if that ally was the nearest of
        those that had the order to attack this enemy, else 0; only steps in which the nearest ally had not.
    """
    ally, _, attacker, by_nearest = _choices(trace)
    seen = (ally >= 0) & (attacker >= 0) & ~by_nearest
    return (attacker == ally)[seen].astype(np.float64)


def halt_distance(trace: Trace) -> np.ndarray:
    """
    Overview:
        Return how far the nearest ally was, [map units] between centres, when an enemy that had walked came to a halt;
        only where that ally stood still in both steps.
    """
    n = trace.n_agents
    way = np.hypot(np.diff(trace.x, axis=1), np.diff(trace.y, axis=1))  # [E, T - 1, U]
    gaps = np.hypot(*(a[:, 1:-1, n:, None] - a[:, 1:-1, None, :n] for a in (trace.x, trace.y)))  # [E, T - 2, M, N]
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    nearest = gaps.argmin(3)
    still = np.isfinite(gaps).any(3)
    for steps in (way[:, :-1, :n], way[:, 1:, :n]):
        still &= np.take_along_axis(steps, nearest.reshape(*nearest.shape[:2], -1), 2) < 1e-3
    halted = (way[:, :-1, n:] > 1e-2) & (way[:, 1:, n:] < 1e-3) & still & trace.pairs[:, 1:, None]
    return gaps.min(3)[halted]


def headed_ally(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """
    Overview:
        Return which ally each enemy clearly walked towards in the step after each row, and how far the allies were.
    Shapes:
        - returns: int64 [E, T - 1, M], -1 where it is not clear; float64 [E, T - 1, M, N], NaN for the dead
    """
    n = trace.n_agents
    step_x, step_y = (np.diff(a[:, :, n:], axis=1) for a in (trace.x, trace.y))
    dx, dy = (a[:, :-1, None, :n] - a[:, :-1, n:, None] for a in (trace.x, trace.y))  # [E, T - 1, M, N]
    distance, way = np.hypot(dx, dy), np.hypot(step_x, step_y)
    with np.errstate(invalid='ignore', divide='ignore'):
        cosine = (dx * step_x[..., None] + dy * step_y[..., None]) / (distance * way[..., None])
    angle = np.where(np.isfinite(cosine), np.degrees(np.arccos(np.clip(cosine, -1., 1.))), 180.)
    best = angle.argmin(3)
    ordered = np.sort(angle, axis=3)
    alone = ordered[..., 1] - ordered[..., 0] > _CLEAR if n > 1 else True
    near = np.take_along_axis(distance, best[..., None], 3)[..., 0] < _NEAR
    return np.where((way > .5) & (ordered[..., 0] < _ALIGNED) & alone & near, best, -1), distance


def layout_error(trace: Trace, side: str, layout: np.ndarray) -> np.ndarray:
    """
    Overview:
        Return for each episode how far the farthest unit of a side stands, at the first observation, from a layout of
        the game, float [n, 2]: each point of the layout is matched with the nearest unit that is left.
    """
    units = slice(None, trace.n_agents) if side == 'allies' else slice(trace.n_agents, None)
    points = np.stack([trace.x[:, 0, units], trace.y[:, 0, units]], 2)  # [E, n, 2]
    distances, inverse = np.unique(points.round(6), axis=0, return_inverse=True)
    worst = np.array([_farthest(found, layout) for found in distances])
    return worst[inverse.ravel()]


def commonest_layout(trace: Trace, side: str) -> np.ndarray:
    """Return 1 for each episode that begins with the commonest layout of a side, whoever stands where, 0 for others."""
    units = slice(None, trace.n_agents) if side == 'allies' else slice(trace.n_agents, None)
    points = [tuple(sorted(zip(x.round(3), y.round(3)))) for x, y in zip(trace.x[:, 0, units], trace.y[:, 0, units])]
    return _is_commonest(points)


def commonest_enemy_order(trace: Trace) -> np.ndarray:
    """Return 1 for each episode whose enemies are numbered in the commonest order of their places, 0 for others."""
    return _is_commonest(_enemy_orders(trace))


def n_enemy_orders(trace: Trace) -> np.ndarray:
    """Return in how many orders of their places, rare ones left out, the enemies were numbered; one sample."""
    counts = np.array(list(Counter(_enemy_orders(trace)).values()))
    return np.array([float((counts >= _RARE * counts.sum()).sum())])


def free_units(trace: Trace) -> np.ndarray:
    """Return which units live with nobody near enough to push them, bool [E, T, U]."""
    separation = np.array([UNIT_TYPES[name].separation for name in trace.unit_type])
    alive = trace.health > 0.
    free = alive.copy()
    for u in range(len(separation)):
        for v in range(len(separation)):
            if v != u:
                with np.errstate(invalid='ignore'):
                    gap = np.hypot(trace.x[..., u] - trace.x[..., v], trace.y[..., u] - trace.y[..., v])
                free[..., u] &= ~(alive[..., v] & (gap < separation[u] + separation[v] + _TOUCH))
    return free


def _march(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Return the enemies' first three steps, [E, 3, M] each."""
    rows = slice(None, _MARCH_ROWS + 1)
    x, y = (a[:, rows, trace.n_agents:] for a in (trace.x, trace.y))
    return np.diff(x, axis=1), np.diff(y, axis=1)


def _choices(trace: Trace) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """
    Return for each step and enemy [E, T - 1, M] whom it clearly walked towards (-1 not clear), the nearest ally, the
    nearest ally in scan range that was ordered to attack it (-1 none), and whether the nearest ally was.
    """
    n, (ally, distance) = trace.n_agents, headed_ally(trace)
    ally = np.where(trace.pairs[:, :, None], ally, -1)
    distance = np.where(np.isnan(distance), np.inf, distance)  # [E, T - 1, M, N]
    enemies = np.arange(trace.x.shape[2] - n)
    attacks = trace.action[:, :-1, None, :] == FIRST_TARGET + enemies[:, None]  # [E, T - 1, M, N]
    nearest = distance.argmin(3)
    by_nearest = np.take_along_axis(attacks, nearest[..., None], 3)[..., 0]
    theirs = np.where(attacks & (distance < _SCAN), distance, np.inf)
    return ally, nearest, np.where(np.isfinite(theirs).any(3), theirs.argmin(3), -1), by_nearest


def _enemy_orders(trace: Trace) -> list[tuple[int, ...]]:
    """Return for each episode the enemies sorted by place."""
    x, y = trace.x[:, 0, trace.n_agents:].round(2), trace.y[:, 0, trace.n_agents:].round(2)
    return [tuple(np.lexsort((b, a)).tolist()) for a, b in zip(x, y)]


def _is_commonest(keys: list) -> np.ndarray:
    """Return 1. where a key is the commonest of all, else 0."""
    commonest = Counter(keys).most_common(1)[0][0]
    return np.array([float(key == commonest) for key in keys])


def _farthest(points: np.ndarray, layout: np.ndarray) -> float:
    """Return the greatest distance between matched points of two layouts, each [n, 2]."""
    left, worst = list(range(len(points))), 0.
    for x, y in layout:
        gaps = [float(np.hypot(points[i, 0] - x, points[i, 1] - y)) for i in left]
        worst = max(worst, min(gaps))
        left.pop(int(np.argmin(gaps)))
    return worst
