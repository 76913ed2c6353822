"""The check of saved battles: compiled code indexes and loops by what they hold."""
from collections.abc import Mapping
from typing import Any, Union

import numpy as np

from ding_qmix.sim.ranges import STATE_RANGES, RowRange
from ding_qmix.sim.state import SimState
from ding_qmix.spec import EnvSpec


def check_state(given: Mapping[str, Any], like: SimState, spec: EnvSpec) -> SimState:
    """
    Overview:
        Return saved battles as arrays, each entry in the range that ``ding_qmix.sim.ranges`` declares.
    Arguments:
        - given: the entries of ``SimState``, arrays or nested lists
        - like: arrays of the right shapes and dtypes
        - spec: the map
    Raises:
        - ValueError: names entry, row and what came
    """
    limits = {
        'units': spec.n_agents + spec.n_enemies - 1,
        'actions': spec.n_actions - 1,
        'steps': spec.episode_limit - 1
    }
    checked = {name: _as_array(name, given[name], array) for name, array in like._asdict().items()}
    for name, ranges in STATE_RANGES.items():
        if isinstance(ranges, RowRange):
            _check_range(name, checked[name], ranges, limits)
        else:
            for row, (row_name, row_range) in enumerate(ranges.items()):
                _check_range(f'{name}, row {row_name}', checked[name][:, row], row_range, limits)
    units = np.arange(limits['units'] + 1)
    if not (np.sort(checked['unit_at'], axis=1) == units).all():
        raise ValueError('load_state_dict: unit_at does not have every unit once; is the file damaged?')
    return SimState(**checked)


def _as_array(name: str, value: Any, like: np.ndarray) -> np.ndarray:
    """Return an array of like's shape and dtype; whole numbers stand for real ones, not the other way round."""
    wanted = {'f': 'fiu', 'i': 'iu', 'u': 'u'}[like.dtype.kind]
    try:
        array = np.array(value)
        if like.dtype.kind == 'u':  # lists of large and small integers would become float64, or lose their sign
            array = np.array([int(number) for number in value if _is_word(number)], dtype=like.dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f'load_state_dict: {name} is no array of {like.dtype}: {error}') from error
    if array.shape != like.shape or array.dtype.kind not in wanted:
        raise ValueError(
            f'load_state_dict: {name} has shape {array.shape} and dtype {array.dtype}, expected {like.shape} and '
            f'{like.dtype}; is the file damaged?'
        )
    return array


def _is_word(number: Any) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool) and 0 <= int(number) < 2 ** 64


def _check_range(name: str, array: np.ndarray, ranges: RowRange, limits: dict[str, int]) -> None:
    """ValueError unless all numbers are in a range, which NaN is not."""
    high: Union[float, int] = limits[ranges.high] if isinstance(ranges.high, str) else ranges.high
    bad = ~((array >= ranges.low) & (array <= high))
    if bad.any():
        raise ValueError(
            f'load_state_dict: {name} holds {array[bad][0]}, expected {ranges.low} to {high}; is the file damaged?'
        )
