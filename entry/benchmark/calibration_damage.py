"""What hits take and what grows back, in a trace. Every function returns samples, float [n]."""
import numpy as np
from calibration_traces import Trace

_LEAST = 0.5  # [points] below which a change is regeneration
_RARE = 0.02  # share of all drops below which a value is a hit mixed with something else


def smallest_drop(trace: Trace, side: str, layer: str) -> np.ndarray:
    """
    Overview:
        Return one sample, the smallest drop in a step that is not rare: one hit's [points].
    Arguments:
        - side: whose units are hit, 'allies' or 'enemies'
        - layer: 'shield' (drops that leave some), or 'health' (of units without shield that live on)
    """
    values, counts = np.unique(_drops(trace, side, layer).round(2), return_counts=True)
    common = values[counts >= max(2., _RARE * counts.sum())]
    return common[:1]


def single_hits(trace: Trace, hit: float) -> np.ndarray:
    """Return for each step in which the allies lost 1 or 2 ``hit`` [points] of health 1 where it was one, else 0."""
    n_hits = _drops(trace, 'allies', 'health') / hit
    n_hits = n_hits[np.isclose(n_hits, 1., atol=.01) | np.isclose(n_hits, 2., atol=.01)]
    return (n_hits < 1.5).astype(np.float64)


def regrowth(trace: Trace, side: str, layer: str) -> np.ndarray:
    """Return the [points] that grew back in a step, of units that were not full after it."""
    units = slice(None, trace.n_agents) if side == 'allies' else slice(trace.n_agents, None)
    table = getattr(trace, layer)[:, :, units]
    rise = np.diff(table, axis=1)
    full = table.max()
    chosen = trace.pairs[:, :, None] & (rise > 1e-3) & (rise < 3.) & (table[:, 1:] < full - 1e-3)
    return rise[chosen]


def nth_ally_death(trace: Trace, position: int) -> np.ndarray:
    """Return the [env steps] after which one more than ``position`` allies are dead; episodes that go on after it."""
    dead = (trace.health[:, :, :trace.n_agents] <= 0.).sum(2) > position
    dead &= np.arange(dead.shape[1])[None] < trace.n_rows[:, None]
    return dead.argmax(1)[dead.any(1)].astype(np.float64)


def _drops(trace: Trace, side: str, layer: str) -> np.ndarray:
    """Return all drops of a layer in a step, see ``smallest_drop``."""
    units = slice(None, trace.n_agents) if side == 'allies' else slice(trace.n_agents, None)
    health, shield = trace.health[:, :, units], trace.shield[:, :, units]
    table = shield if layer == 'shield' else health
    drop = -np.diff(table, axis=1)
    chosen = trace.pairs[:, :, None] & (drop > _LEAST) & (table[:, 1:] > 1e-3)
    if layer == 'health':
        chosen &= shield[:, :-1] <= 1e-3
    return drop[chosen]
