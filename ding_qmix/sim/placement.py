"""Where the units of a map are put, before anything moves."""
from functools import cache

import numpy as np

from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.recorded_spawns import OFFSETS
from ding_qmix.sim.unit_types import FLIES, OVERLAP, UNIT_TYPES, UnitType
from ding_qmix.smac.scenarios import Scenario, UnitGroup
from ding_qmix.smac.terrain import MAP_SIZE, pathing_grid

_SLACK = 1e-9  # [map units] that neighbours on a lattice may overlap by rounding


def spawn_points(scenario: Scenario, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """
    Overview:
        Place all units in order of creation, allies first: the first of a group on its point, the others round it.
    Shapes:
        - returns: x, y, float64 [U]
    Source: recordings of the game on 3m, 8m, 3s_vs_4z, corridor and 2c_vs_64zg, of which the rule gives the commonest
        layout (calibration: ``spawn_spacing``); ``recorded_spawns`` has its variants.
        Several types at one point follow no rule that was found: they stand as recorded on 2s3z, MMM and MMM2 (the
        commonest variant), elsewhere on the first free places of the rule.
    """
    pathable = pathing_grid(scenario.terrain)
    placed: list[tuple[float, float, UnitType]] = []
    points: list[tuple[float, float]] = []  # that they were put on or round
    for side in (scenario.allies, scenario.enemies):
        offsets = OFFSETS.get((scenario.name, tuple((group.unit, group.n_units) for group in side)), {})
        for group in side:
            first = next((i for i, p in enumerate(points) if p == (group.x, group.y)), len(placed))
            for k in range(group.n_units):
                if group.unit in offsets:
                    dx, dy = offsets[group.unit][k]
                    placed.append((group.x + dx, group.y + dy, UNIT_TYPES[group.unit]))
                else:
                    placed.append(_free_point(group, placed[first:], pathable, calibration.spawn_spacing))
                points.append((group.x, group.y))
    return np.array([p[0] for p in placed]), np.array([p[1] for p in placed])


def _free_point(group: UnitGroup, placed: list[tuple[float, float, UnitType]], pathable: np.ndarray,
                spacing: float) -> tuple[float, float, UnitType]:
    """Return the first lattice point that is on the map and clear of units placed round the same point before."""
    kind = UNIT_TYPES[group.unit]
    pitch = 2. * kind.radius * spacing
    for i, j in _lattice():
        inwards = OVERLAP if i * i + j * j == 1 else 0.  # the four next to the point stand this much closer to it
        x, y = group.x + i * (pitch - inwards), group.y + j * (pitch - inwards)
        if not (0. <= x < MAP_SIZE and 0. <= y < MAP_SIZE) or not (kind.footing == FLIES or pathable[int(x), int(y)]):
            continue
        if all(_clear(kind, x, y, *other) for other in placed):
            return x, y, kind
    raise ValueError(f'no free place for {group.unit} near ({group.x}, {group.y})')


def _clear(kind: UnitType, x: float, y: float, other_x: float, other_y: float, other: UnitType) -> bool:
    """Return whether a unit here would keep off another: placement goes by radii, not by separation."""
    least = max(0., kind.radius + other.radius - OVERLAP - _SLACK) if kind.bumps & other.bumps else 0.
    return (x - other_x) ** 2 + (y - other_y) ** 2 >= least * least


@cache
def _lattice() -> tuple[tuple[int, int], ...]:
    """
    Return the points of a square lattice from the middle outwards, as the game fills them.

    Points equally far come in fours that one makes out of the other by quarter turns to the left, from the south on;
    read off the 64 zerglings of 2c_vs_64zg.
    """
    points = [(0, 0)]
    starts = [(i, -j) for i in range(MAP_SIZE + 1) for j in range(1, MAP_SIZE + 1)]
    for i, j in sorted(starts, key=lambda p: (p[0] ** 2 + p[1] ** 2, p[0])):
        points += [(i, j), (-j, i), (-i, -j), (j, -i)]
    return tuple(points)
