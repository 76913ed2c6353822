"""Damaged states of rollout, env, collector, evaluator and run are refused by name."""
from typing import Any

import numpy as np
import pytest
import torch

from ding_qmix.envs.blind_env import BlindVecEnv
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.run_state import RunState
from ding_qmix.run_state.checks import check_count
from ding_qmix.sim import SimVecEnv
from ding_qmix.worker.collector import VectorCollector
from ding_qmix.worker.evaluator import WinRateEvaluator
from ding_qmix.worker.rollout import Rollout


def _tracked() -> TrackedVecEnv:
    env = TrackedVecEnv(SimVecEnv('3m', 2, n_threads=1))
    env.reset()
    return env


@pytest.mark.unittest
@pytest.mark.parametrize(
    'damage, message', [
        (dict(_begun=torch.ones(3, dtype=torch.bool)), '_begun'),
        (dict(_begun=torch.ones(2)), '_begun'),
        (dict(_seeded=[True, False]), '_seeded'),
        (dict(env=dict(map_name='3m')), 'load_state_dict: no '),
    ]
)
def test_damaged_state_of_an_env_is_refused(damage: dict[str, Any], message: str) -> None:
    env = _tracked()
    with pytest.raises(ValueError, match=message):
        env.load_state_dict({**env.state_dict(), **damage})


@pytest.mark.unittest
@pytest.mark.parametrize(
    'damage, message', [
        (dict(needs_reset=torch.ones(1, dtype=torch.bool)), 'needs_reset'),
        (dict(needs_reset=None), 'needs_reset: NoneType'),
        (dict(map_name='8m'), "saved on map '8m'"),
    ]
)
def test_damaged_state_of_a_rollout_is_refused(damage: dict[str, Any], message: str) -> None:
    rollout = Rollout(_tracked())
    with pytest.raises(ValueError, match=message):
        rollout.load_state_dict({**rollout.state_dict(), **damage})
    with pytest.raises(ValueError, match='without env'):
        rollout.load_state_dict({name: value for name, value in rollout.state_dict().items() if name != 'env'})


@pytest.mark.unittest
@pytest.mark.parametrize(
    'times, message', [([1], 'a state of 1 times'), ([0, 61], 'blind_time: 61, expected'), ([0, .5], '0.5')]
)
def test_damaged_time_of_a_blind_env_is_refused(times: list, message: str) -> None:
    env = BlindVecEnv(SimVecEnv('3m', 2, n_threads=1))
    env.reset()
    with pytest.raises(ValueError, match=message):
        env.load_state_dict({**env.state_dict(), 'blind_time': times})


@pytest.mark.unittest
@pytest.mark.parametrize('part', [VectorCollector, WinRateEvaluator])
def test_damaged_state_of_a_worker_is_refused_before_anything_is_restored(part: type) -> None:
    worker: Any = object.__new__(part)
    with pytest.raises(ValueError, match=r'without .*rollout'):
        worker.load_state_dict({})
    names = ('env_step_count', 'episode_count', 'last_train_iter', 'best_win_rate', 'last_env_step', 'last_info')
    with pytest.raises(ValueError, match=r'last_train_iter: 1\.5, expected an integer'):
        worker.load_state_dict({**dict.fromkeys((*names, 'elapsed_time', 'rollout'), 0), 'last_train_iter': 1.5})
    assert set(vars(worker)) <= {'_closed'}


@pytest.mark.unittest
@pytest.mark.parametrize('position', [625, -1, 'x'])
def test_position_of_numpys_generator_is_checked_as_numpy_does_not(position: Any) -> None:
    run = RunState()
    state = run.state_dict()
    state['numpy'][2] = position
    before = np.random.get_state(legacy=False)['state']['pos']  # noqa: NPY002
    with pytest.raises(ValueError, match='run state: numpy'):
        run.load_state_dict(state)
    assert np.random.get_state(legacy=False)['state']['pos'] == before  # noqa: NPY002


@pytest.mark.unittest
def test_state_without_generators_is_refused() -> None:
    with pytest.raises(ValueError, match='without numpy'):
        RunState().load_state_dict({'parts': {}, 'torch': torch.get_rng_state(), 'random': []})


@pytest.mark.unittest
def test_count_is_an_integer_in_its_range() -> None:
    assert check_count('n', 3, 1, 3) == 3
    for bad in (0, 4, True, 1., '2', None):
        with pytest.raises(ValueError, match=r'n: .*, expected an integer from 1 to 3'):
            check_count('n', bad, 1, 3)
