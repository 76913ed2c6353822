"""Checks at the border of the simulator. What is wrong is named; nothing is silently repaired."""
import numpy as np

from ding_qmix.schema import check_value
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.ranges import CALIBRATION_RULES
from ding_qmix.smac.checks import like_default


def check_count(name: str, value: int) -> int:
    """Return a count of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f'{name} must be an integer, got {value!r}')
    if value < 1:
        raise ValueError(f'{name} must be at least 1, got {value}')
    return int(value)


def check_calibration(calibration: Calibration) -> Calibration:
    """Return calibration parameters in range, each in the type of its default."""
    defaults = Calibration()
    checked = Calibration(
        *(like_default(f'calibration.{n}', v, d) for n, v, d in zip(Calibration._fields, calibration, defaults))
    )
    for name, value in checked._asdict().items():
        check_value(f'env.calibration.{name}', value, CALIBRATION_RULES[name])
    if checked.jitter_low > checked.jitter_high:
        raise ValueError(
            f'config env.calibration.jitter_low: {checked.jitter_low}, but jitter_high: {checked.jitter_high}; the '
            'least random change of a period is above the greatest'
        )
    return checked
