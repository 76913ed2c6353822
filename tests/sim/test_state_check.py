"""Saved battles: those of every kind of map are taken, damaged ones are refused by name and change nothing."""
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.ranges import STATE_RANGES, RowRange

ROWS = [
    (entry, row, name) for entry, rows in STATE_RANGES.items() if not isinstance(rows, RowRange)
    for row, name in enumerate(rows)
]
# Plays on from a state whose rows are at an end of their range, where it has taken one.
EXTREMES = """
import numpy as np
from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.ranges import STATE_RANGES
env = SimVecEnv('MMM', 2, n_threads=1)
env.reset()
whole = env.state_dict()
for entry in ('unit', 'physical', 'decision'):
    for row, (name, limits) in enumerate(STATE_RANGES[entry].items()):
        for end in (limits.low, env.spec.n_agents + env.spec.n_enemies - 1 if limits.high == 'units' else limits.high):
            state = dict(whole, **{entry: np.array(whole[entry])})
            state[entry][:, row] = end
            env.load_state_dict(state)
            for _ in range(3):
                step = env.step(env.observe().action_mask.argmax(-1))
                assert np.isfinite(step.obs).all() and np.isfinite(step.state).all(), (name, end)
print('played')
"""


def _running(map_name: str = 'MMM', n_steps: int = 20) -> SimVecEnv:
    env, rng = SimVecEnv(map_name, 2, seed=3, n_threads=1), np.random.default_rng(0)
    step = env.reset()
    for _ in range(n_steps):
        step = env.step((rng.random(step.action_mask.shape) * step.action_mask).argmax(-1))
    return env


def _refused(env: SimVecEnv, message: str, **damage: Any) -> None:
    """The damaged state is refused, and the battles are as before."""
    before = env.state_dict()
    with pytest.raises(ValueError, match=message):
        env.load_state_dict(dict(before, **damage))
    assert env.state_dict() == before


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name', ['3m', 'MMM2', 'bane_vs_bane', '1c3s5z', '2s_vs_1sc', '2c_vs_64zg', 'so_many_baneling']
)
def test_states_of_running_battles_are_taken(map_name: str) -> None:
    env, rng = SimVecEnv(map_name, 2, n_threads=1), np.random.default_rng(1)
    env.load_state_dict(env.state_dict())  # before the first episode
    step = env.reset()
    for _ in range(60):
        chance = rng.random(step.action_mask.shape) * step.action_mask
        chance[..., 6:] *= 5.  # rather attack
        step = env.step(chance.argmax(-1))
        env.load_state_dict(env.state_dict())
        step = env.observe()


@pytest.mark.unittest
@pytest.mark.parametrize('entry, row, name', ROWS)
def test_row_out_of_range_is_refused_by_name(entry: str, row: int, name: str) -> None:
    env = _running(n_steps=2)
    limits: Any = STATE_RANGES[entry]
    high = 19 if limits[name].high == 'units' else limits[name].high
    for value in (limits[name].low - 1, high + 1):
        array = np.array(env.state_dict()[entry])
        array[1, row, 3] = value
        _refused(env, f'{entry}, row {name} holds', **{entry: array.tolist()})


@pytest.mark.unittest
@pytest.mark.parametrize('entry', ['unit', 'physical', 'episode_return'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_number_that_is_not_finite_is_refused(entry: str, value: float) -> None:
    env = _running(n_steps=1)
    array = np.array(env.state_dict()[entry])
    array.flat[5 % array.size] = value
    _refused(env, f'{entry}.* holds {value}', **{entry: array.tolist()})


@pytest.mark.unittest
@pytest.mark.parametrize(
    'damage, message', [
        (dict(last_action=[[16] * 10] * 2), 'last_action holds 16, expected -1 to 15'),
        (dict(last_action=[[-2] * 10] * 2), 'last_action holds -2'),
        (dict(last_action=[[1.5] * 10] * 2), 'last_action has shape .* dtype float64, expected'),
        (dict(last_action=[[1] * 9] * 2), r'last_action has shape \(2, 9\)'),
        (dict(last_action='x'), 'last_action has shape'),
        (dict(last_action=None), 'last_action has shape'),
        (dict(unit=[[1.], [2., 3.]]), 'unit is no array'),
        (dict(unit_at=[[0] * 20] * 2), 'unit_at does not have every unit once'),
        (dict(unit_at=[[20] * 20] * 2), 'unit_at holds 20'),
        (dict(rng=[0, 1]), 'rng holds 0'),
        (dict(rng=[-1, 1]), 'rng has shape'),
        (dict(rng=[2 ** 64, 1]), 'rng has shape'),
        (dict(rng=[1.5, 1]), 'rng has shape'),
        (dict(rng=5), 'rng is no array'),
        (dict(next_rng=['x', 1]), 'next_rng has shape'),
        (dict(episode_step=[150, 0]), 'episode_step holds 150, expected 0 to 149'),
        (dict(episode_step=[0]), 'episode_step has shape'),
        (dict(started=[1, 0]), 'started is .* expected one bool per env'),
        (dict(started=5), 'started is 5'),
    ]
)
def test_damaged_entry_is_refused_by_name(damage: dict[str, Any], message: str) -> None:
    _refused(_running(n_steps=1), message, **damage)


@pytest.mark.unittest
def test_battles_play_on_from_states_at_the_ends_of_every_row(repo: Path) -> None:
    """In a process of its own: what is not checked would crash it."""
    done = subprocess.run([sys.executable, '-c', EXTREMES], cwd=repo, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, 'played\n'), done.stderr[-2000:]
