"""
The colossus's weapon: two beams sweep a line across the line of fire in opposite directions. Kernels over one battle.

Source: SC2GameData core to voidmulti, ThermalLances (read exactly). The line lies where the target stood at the shot:
the target is touched like everybody else, or walks out of it.
"""
import math

from ding_qmix.numba_kernel import inline_kernel, inner_kernel
from ding_qmix.sim.damage import hit
from ding_qmix.sim.state import (
    BEAM_AGE,
    BEAM_DX,
    BEAM_DY,
    BEAM_X,
    BEAM_Y,
    DUE,
    DUE_FROM,
    SWEPT,
    Battle,
)
from ding_qmix.sim.unit_tables import CANNOT_HIT, RADIUS, UnitTables
from ding_qmix.smac.units import HEALTH, X, Y

N_SAMPLES = 11  # points of the line at which a beam looks for units
SAMPLE_SPACING = 0.25  # [map units] between them: from -1.25 to +1.25
SAMPLE_PERIOD = 0.0227 * 16.  # [game loops] between them, and from the shot to the first
SAMPLE_RADIUS = 0.15  # [map units] around them to the edge of who is touched
HIT_DELAY = 4  # [game loops] from touch to damage; 0.25 s
_BITS_DUE = 4  # of ``decision[DUE]`` for one game loop
_SWEEPERS = 15  # units of one side whose beams ``decision[SWEPT]`` keeps apart


@inline_kernel
def begin_beams(battle: Battle, u: int, target: int) -> None:
    """Let both beams of u start their sweep across the target."""
    unit, physical, decision = battle.unit, battle.physical, battle.decision
    dx, dy = unit[X, target] - unit[X, u], unit[Y, target] - unit[Y, u]
    distance = math.sqrt(dx * dx + dy * dy)
    if distance <= 0.:
        dx, dy, distance = 1., 0., 1.
    physical[BEAM_X, u], physical[BEAM_Y, u] = unit[X, target], unit[Y, target]
    physical[BEAM_DX, u], physical[BEAM_DY, u] = -dy / distance, dx / distance
    decision[BEAM_AGE, u] = 1
    for v in range(unit.shape[1]):
        decision[SWEPT, v] &= ~(3 << (2 * (u % _SWEEPERS)))


@inner_kernel
def sweep_beams(battle: Battle, tables: UnitTables) -> None:
    """Let hits of beams arrive that are due, and move all beams on by one loop."""
    unit, decision = battle.unit, battle.decision
    for v in range(unit.shape[1]):
        if decision[DUE, v] == 0:
            continue
        n_hits = decision[DUE, v] & ((1 << _BITS_DUE) - 1)
        decision[DUE, v] >>= _BITS_DUE
        for _ in range(n_hits):
            if unit[HEALTH, v] > 0.:
                hit(battle, tables, decision[DUE_FROM, v], v)
    for u in range(unit.shape[1]):
        age = decision[BEAM_AGE, u]
        if age == 0 or unit[HEALTH, u] <= 0.:
            continue
        _sweep(battle, tables, u, _n_sampled(age - 1), _n_sampled(age))
        decision[BEAM_AGE, u] = age + 1 if _n_sampled(age) < N_SAMPLES else 0


@inline_kernel
def _n_sampled(age: int) -> int:
    """Return how many points beams of this age have looked at."""
    return 0 if age <= 0 else min(N_SAMPLES, int((age - 1) / SAMPLE_PERIOD))


@inline_kernel
def _sweep(battle: Battle, tables: UnitTables, u: int, first: int, last: int) -> None:
    """Let both beams look at their points first..last - 1; who is touched will be hit, by each beam at most once."""
    unit, physical, decision = battle.unit, battle.physical, battle.decision
    if first >= last:
        return
    for foe in range(unit.shape[1]):
        if unit[HEALTH, foe] <= 0. or tables.rank[u, foe] == CANNOT_HIT:
            continue
        dx, dy = unit[X, foe] - physical[BEAM_X, u], unit[Y, foe] - physical[BEAM_Y, u]
        along = dx * physical[BEAM_DX, u] + dy * physical[BEAM_DY, u]
        aside = dx * physical[BEAM_DY, u] - dy * physical[BEAM_DX, u]
        # Square of the distance along the line within which a point of it touches the foe.
        touch_square = (SAMPLE_RADIUS + tables.stats[RADIUS, foe]) ** 2 - aside * aside
        if touch_square < 0.:
            continue
        for beam in range(2):
            bit = 1 << (2 * (u % _SWEEPERS) + beam)
            for k in range(first, last):
                offset = (k - (N_SAMPLES - 1) / 2) * SAMPLE_SPACING * (1 - 2 * beam)
                if (along - offset) ** 2 <= touch_square and not decision[SWEPT, foe] & bit:
                    decision[SWEPT, foe] |= bit
                    decision[DUE, foe] += 1 << (_BITS_DUE * (HIT_DELAY - 1))
                    decision[DUE_FROM, foe] = u
