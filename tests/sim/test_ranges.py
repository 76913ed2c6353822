"""Ranges of calibration parameters and options: battles play through at both ends, beyond them is a named error."""
from typing import Any

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv, ranges
from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.action_options import ACTION_RULES, ActionOptions
from ding_qmix.smac.reward import REWARD_RULES, RewardOptions
from ding_qmix.smac.view_options import VIEW_RULES, ViewOptions

OPTION_RULES = {**REWARD_RULES, **ACTION_RULES}
_JITTERS = {'jitter_low': 'jitter_high', 'jitter_high': 'jitter_low'}
TINY = 1e-6  # beside a bound that is not in the range itself


def _numbers(rules: dict) -> list[tuple[str, Any]]:
    """Each number's name with both ends of its range."""
    return [
        (name, end if rule.fits(end) else end + TINY) for name, rule in rules.items() if rule.low is not None
        for end in (rule.low, rule.high)
    ]


def _play(map_name: str, n_steps: int, **options: Any) -> None:
    """Play at random; everything that is shown is finite."""
    env, rng = SimVecEnv(map_name, 2, n_threads=1, **options), np.random.default_rng(0)
    step = env.reset()
    for _ in range(n_steps):
        chance = rng.random(step.action_mask.shape) * step.action_mask
        step = env.step(chance.argmax(-1))
        assert np.isfinite(step.obs).all() and np.isfinite(step.state).all() and np.isfinite(step.reward).all()
    units = env.units()
    assert np.isfinite([units.x, units.y, units.health, units.cooldown]).all()


@pytest.mark.unittest
@pytest.mark.parametrize('name, value', [*_numbers(ranges.CALIBRATION_RULES), ('scan_move', False), ('hunt_on', True)])
def test_battles_play_through_at_the_ends_of_a_calibration_parameter(name: str, value: Any) -> None:
    others = {_JITTERS[name]: value} if name in _JITTERS else {}
    for map_name in ('MMM', 'bane_vs_bane', '1c3s5z'):
        _play(map_name, 40, calibration=Calibration(**{name: value}, **others))


@pytest.mark.unittest
@pytest.mark.parametrize('name, value', _numbers(OPTION_RULES))
def test_battles_play_through_at_the_ends_of_an_option(name: str, value: Any) -> None:
    _play('MMM', 40, **{name: value})


@pytest.mark.unittest
@pytest.mark.parametrize('name', [name for name, rule in ranges.CALIBRATION_RULES.items() if rule.low is not None])
def test_calibration_parameter_beyond_its_range_is_refused_by_name(name: str) -> None:
    rule = ranges.CALIBRATION_RULES[name]
    assert rule.low is not None and rule.high is not None
    for value in (rule.low - 1, rule.high + 1):
        with pytest.raises(ValueError, match=rf'env\.calibration\.{name}: '):
            SimVecEnv('3m', 1, calibration=Calibration(**{name: value}))
    for number in (float('nan'), float('inf')):
        with pytest.raises((ValueError, TypeError), match=rf'calibration\.{name}'):
            SimVecEnv('3m', 1, calibration=Calibration(**{name: number}))


@pytest.mark.unittest
@pytest.mark.parametrize('name', [name for name, rule in OPTION_RULES.items() if rule.low is not None])
def test_option_beyond_its_range_is_refused_by_name(name: str) -> None:
    rule = OPTION_RULES[name]
    assert rule.low is not None and rule.high is not None
    for value in (rule.low - 1, rule.high + 1, float('nan'), float('inf')):
        with pytest.raises((ValueError, TypeError), match=name):
            SimVecEnv('3m', 1, **{name: value})


@pytest.mark.unittest
def test_least_jitter_above_the_greatest_is_refused() -> None:
    with pytest.raises(ValueError, match=r'jitter_low: 1\.0, but jitter_high: 0\.5'):
        SimVecEnv('3m', 1, calibration=Calibration(jitter_low=1., jitter_high=.5))


@pytest.mark.unittest
def test_every_option_of_smac_has_a_rule() -> None:
    assert tuple(REWARD_RULES) == RewardOptions._fields and tuple(ACTION_RULES) == ActionOptions._fields
    assert VIEW_RULES.keys() == set(ViewOptions._fields)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'table, name', [
        ('CALIBRATION_RULES', 'slide_gain'), ('UNIT_ROWS', 'X'), ('PHYSICAL_ROWS', 'GOAL_X'),
        ('DECISION_ROWS', 'TARGET'), ('STATE_RANGES', 'last_action')
    ]
)
def test_parameter_or_row_without_a_declaration_stops_the_import(
        monkeypatch: pytest.MonkeyPatch, table: str, name: str
) -> None:
    ranges._check_complete()
    monkeypatch.setattr(ranges, table, {key: value for key, value in getattr(ranges, table).items() if key != name})
    with pytest.raises(RuntimeError, match='declare the range of each'):
        ranges._check_complete()
