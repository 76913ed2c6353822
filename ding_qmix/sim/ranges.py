"""
What compiled code may be given: the range of every calibration parameter and of every row of a battle's state. Each is
declared here once; a parameter or row without a declaration stops the import.
"""
from typing import NamedTuple, Union

from ding_qmix.schema import FLAG, Rule, integer, number
from ding_qmix.sim import state as rows
from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac import units
from ding_qmix.smac.terrain import MAP_SIZE

_LENGTH = number(0., 100., 'map units')

CALIBRATION_RULES: dict[str, Rule] = {
    'spawn_spacing': number(0.5, 2., 'diameters'),
    'reset_loops': integer(0, 80, 'game loops'),
    'late_resets': number(0., 1.),
    'permute_enemies': FLAG,
    'jitter_low': number(-10., 10., 'game loops'),
    'jitter_high': number(-10., 10., 'game loops'),
    'look_period': integer(1, 1000, 'game loops'),
    'chase_leash': _LENGTH,
    'help_radius': _LENGTH,
    'help_period': number(0., 1e4, 'game loops'),
    'arrive_radius': _LENGTH,
    'scan_move': FLAG,
    'hunt_on': FLAG,
    'slide_gain': number(0., 4.),
    'headon_sine': number(0., 1.),
    'map_edge': number(0., 8., 'map units'),
}


class RowRange(NamedTuple):
    """Least and greatest value of a row; 'units' is the last unit, 'actions' the last action, 'steps' the last step."""
    low: float
    high: Union[float, str]


_PLACE = RowRange(0., MAP_SIZE)
_NEAR_PLACE = RowRange(-MAP_SIZE, 2. * MAP_SIZE)  # destinations may lie beyond the edge
_STEP = RowRange(-MAP_SIZE, MAP_SIZE)  # [map units per game loop]
_CLOCK = RowRange(0., 1e4)  # [game loops]
_POINTS = RowRange(0., 1e4)
_DIRECTION = RowRange(-1.001, 1.001)
_UNIT = RowRange(0, 'units')
_UNIT_OR_NONE = RowRange(-1, 'units')

UNIT_ROWS: dict[str, RowRange] = {
    'X': _PLACE,
    'Y': _PLACE,
    'HEALTH': _POINTS,
    'SHIELD': _POINTS,
    'ENERGY': _POINTS,
    'COOLDOWN': _CLOCK,
}
PHYSICAL_ROWS: dict[str, RowRange] = {
    'SPEED': RowRange(0., MAP_SIZE),
    'STEP_X': _STEP,
    'STEP_Y': _STEP,
    'GOAL_X': _NEAR_PLACE,
    'GOAL_Y': _NEAR_PLACE,
    'WINDUP': RowRange(-1e4, 1e4),
    'READY_FOR': RowRange(0., 1.),
    'BACKSWING': _CLOCK,
    'MISSILE_X': _NEAR_PLACE,
    'MISSILE_Y': _NEAR_PLACE,
    'MISSILE_SPEED': RowRange(0., MAP_SIZE),
    'LEASH_X': _PLACE,
    'LEASH_Y': _PLACE,
    'LOOK_WAIT': _CLOCK,
    'HELP_WAIT': _CLOCK,
    'SHIELD_WAIT': _CLOCK,
    'BEAM_X': _PLACE,
    'BEAM_Y': _PLACE,
    'BEAM_DX': _DIRECTION,
    'BEAM_DY': _DIRECTION,
}
DECISION_ROWS: dict[str, RowRange] = {
    'ORDER': RowRange(rows.IDLE, rows.GUARD),
    'TARGET': _UNIT_OR_NONE,
    'PHASE': RowRange(rows.READY, rows.STRIKING),
    'CLOSE': RowRange(0, 1),
    'STANCE': RowRange(rows.STILL, rows.FIGHTING),
    'MISSILE_TARGET': _UNIT_OR_NONE,
    'HURT_BY': _UNIT_OR_NONE,
    'BEAM_AGE': RowRange(0, 100),
    'SWEPT': RowRange(0, 2 ** 30 - 1),
    'DUE': RowRange(0, 2 ** 16 - 1),
    'DUE_FROM': _UNIT,
}

STATE_RANGES: dict[str, Union[RowRange, dict[str, RowRange]]] = {  # of the entries of SimState
    'unit': UNIT_ROWS,
    'unit_at': _UNIT,
    'physical': PHYSICAL_ROWS,
    'decision': DECISION_ROWS,
    'rng': RowRange(1, 2 ** 64 - 1),  # zero is the one state that the generator cannot leave
    'next_rng': RowRange(0, 2 ** 64 - 1),
    'last_action': RowRange(-1, 'actions'),
    'episode_step': RowRange(0, 'steps'),
    'episode_return': RowRange(-1e12, 1e12),
}


def _check_complete() -> None:
    """RuntimeError unless everything is declared that there is, and in its order."""
    tables = (
        (CALIBRATION_RULES, {name: i
                             for i, name in enumerate(Calibration._fields)}, len(Calibration._fields)),
        (STATE_RANGES, {name: i
                        for i, name in enumerate(rows.SimState._fields)}, len(rows.SimState._fields)),
        (UNIT_ROWS, vars(units), units.N_FIELDS),
        (PHYSICAL_ROWS, vars(rows), rows.N_PHYSICAL),
        (DECISION_ROWS, vars(rows), rows.N_DECISION),
    )
    for declared, numbers, count in tables:
        found = [numbers.get(name) for name in declared]
        if found != list(range(count)):
            raise RuntimeError(
                f'ding_qmix.sim.ranges declares {list(declared)}, with numbers {found}, but there are {count} of them; '
                'declare the range of each calibration parameter and of each row of the state, in their order'
            )


_check_complete()
