"""Checks at the border of the simulator. What is wrong is named; nothing is silently repaired."""
import numpy as np

from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.checks import like_default


def check_count(name: str, value: int) -> int:
    """Return a count of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f'{name} must be an integer, got {value!r}')
    if value < 1:
        raise ValueError(f'{name} must be at least 1, got {value}')
    return int(value)


def check_calibration(calibration: Calibration) -> Calibration:
    """Return calibration parameters with each value in the type of its default."""
    defaults = Calibration()
    return Calibration(
        *(like_default(f'calibration.{n}', v, d) for n, v, d in zip(Calibration._fields, calibration, defaults))
    )
