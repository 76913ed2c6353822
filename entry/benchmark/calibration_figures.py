"""Figures that stand beside one another: what the real game was measured to do, and what the simulator does."""
import json
import math
import os
from typing import Any, NamedTuple, Optional

import numpy as np

TARGETS_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'calibration_targets.json')
RESOLUTION = 1e-3  # differences below it are rounding: recorded positions are multiples of 1/4096
N_RESAMPLES = 100  # of the bootstrap that gives a quantile's standard error


class Estimate(NamedTuple):
    """A number with its standard error; None where the error is unknown, 0 where every sample is the same."""
    value: float
    error: Optional[float]
    n: int  # samples
    spread: float = 0.  # standard deviation of the samples


class Figure(NamedTuple):
    """One line of the result."""
    part: str  # one of PARTS of calibration.py
    map_name: str
    name: str  # what is measured, its unit in brackets
    real: Optional[Estimate]  # None: nobody measured it in the game
    sim: Optional[Estimate]  # None: it never came up in the simulator
    source: str  # of the real number

    @property
    def z(self) -> Optional[float]:
        """Difference in standard errors; None where one of them is unknown or nothing varies."""
        if self.real is None or self.sim is None or self.sim.error is None:
            return None
        real_error = self.real.error
        if real_error is None and self.sim.spread > 0. and self.real.n > 0:
            real_error = self.sim.spread / math.sqrt(
                self.real.n
            )  # as if the game's samples varied like the simulator's
        if real_error is None:
            return None
        error = math.hypot(real_error, self.sim.error)
        return (self.sim.value - self.real.value) / error if error > RESOLUTION else None

    @property
    def differs(self) -> Optional[bool]:
        """Whether they differ by more than chance (2 standard errors) and rounding; None where one is missing."""
        if self.real is None or self.sim is None:
            return None
        z = self.z
        return abs(self.sim.value - self.real.value) > RESOLUTION and (z is None or abs(z) > 2.)


def estimate(samples: np.ndarray, statistic: str = 'mean') -> Optional[Estimate]:
    """
    Overview:
        Return a statistic of samples that are taken for independent, None if there are none.
    Arguments:
        - samples: [n]; NaN are left out
        - statistic: 'mean', 'max', or a quantile in percent such as 'q50'
    Raises:
        - ValueError: unknown statistic
    """
    samples = np.asarray(samples, dtype=np.float64).ravel()
    samples = samples[np.isfinite(samples)]
    n = samples.size
    if statistic not in ('mean', 'max') and not (statistic[:1] == 'q' and statistic[1:].isdigit()):
        raise ValueError(f"statistic must be 'mean', 'max' or a quantile such as 'q50', got {statistic!r}")
    if n == 0:
        return None
    spread = float(samples.std(ddof=1)) if n > 1 else 0.
    if statistic == 'mean':
        return Estimate(float(samples.mean()), spread / math.sqrt(n) if n > 1 else None, n, spread)
    share = 1. if statistic == 'max' else int(statistic[1:]) / 100.
    rng = np.random.default_rng(0)
    resampled = [np.quantile(samples[rng.integers(0, n, n)], share) for _ in range(N_RESAMPLES)]
    return Estimate(float(np.quantile(samples, share)), float(np.std(resampled)) if n > 1 else None, n, spread)


def load_targets(path: str = TARGETS_PATH) -> dict[str, Any]:
    """Return the figures measured in the real game, by part and map; the file says where each is from."""
    with open(path, encoding='utf-8') as file:
        targets: dict[str, Any] = json.load(file)
    return targets


def real_estimate(target: Optional[dict[str, Any]]) -> Optional[Estimate]:
    """Return a target's entry ``{"value": , "error": , "n": }`` as an estimate; error and n may be missing."""
    if target is None:
        return None
    return Estimate(float(target['value']), target.get('error'), int(target.get('n', 0)))
