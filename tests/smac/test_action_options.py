"""SMAC's options of actions: how long a decision lasts, how far a move order goes."""
import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.rules import NORTH


@pytest.mark.unittest
def test_action_options_two_decisions_of_4_loops_are_one_of_8() -> None:
    half, whole = SimVecEnv('3m', 1, seed=3, step_mul=4), SimVecEnv('3m', 1, seed=3)
    stop = np.ones((1, 3), np.int64)
    half.reset(), whole.reset()
    for _ in range(6):
        half.step(stop), half.step(stop), whole.step(stop)
    for name, array in half.units()._asdict().items():
        assert np.array_equal(array, getattr(whole.units(), name)), name
    assert half.observe().episode_len == 2 * whole.observe().episode_len == 12


@pytest.mark.unittest
@pytest.mark.parametrize('move_amount, moved', [(1, 1.), (.5, .5)])
def test_action_options_a_move_order_goes_no_further_than_move_amount(move_amount: float, moved: float) -> None:
    env = SimVecEnv('2m_vs_1z', 1, seed=0, move_amount=move_amount)
    env.reset()
    before = env.units().y[0, 0]
    env.step(np.full((1, 2), NORTH))
    assert env.units().y[0, 0] - before == pytest.approx(moved, abs=.1)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'options, error, words', [
        (dict(step_mul=0), ValueError, 'step_mul must be above 0'),
        (dict(step_mul=None), TypeError, 'step_mul must be a number of game loops, got None'),
        (dict(move_amount='2'), TypeError, "move_amount must be a number of map units, got '2'"),
        (dict(move_amount=-1), ValueError, 'move_amount must be above 0, got -1'),
        (dict(move_amount=1.5, obs_pathing_grid=True), ValueError, 'move_amount must be whole, got 1.5'),
        (dict(step_mull=4), TypeError, "did you mean 'step_mul'"),
    ]
)
def test_action_options_that_cannot_be_are_refused_by_name(options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        SimVecEnv('3m', 1, **options)
