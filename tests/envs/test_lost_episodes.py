"""Episodes that an env loses because it breaks: what every adapter shows of them. The envs lose every second one."""
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from easydict import EasyDict

from ding_qmix.baselines import evaluation
from ding_qmix.envs import SMACEnv, SMACMultiAgentEnv, VectorEnvManager, make_vec_env
from ding_qmix.envs.recorded_env import RecordedVecEnv
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.spec import UnitSnapshot

STOP = np.ones(3, np.int64)  # of each agent of map 3m


def _lose(step: Callable[[], Any]) -> Any:
    """Play on until an episode is lost, in the third step of the second one; return what showed it."""
    return [step() for _ in range(6)][-1]


@pytest.mark.unittest
def test_lost_episode_is_dings_abnormal_timestep_with_its_cause(losing: None) -> None:
    env = SMACEnv(EasyDict(map_name='3m'))
    env.seed(0)
    env.reset()
    timestep = _lose(lambda: env.step(STOP))
    assert timestep.info['abnormal'] and timestep.info['cause'] == 'the game of env 0 died'
    assert not timestep.done and timestep.reward == 0.


@pytest.mark.unittest
def test_manager_goes_on_with_the_episode_after_the_lost_one(losing: None) -> None:
    manager = VectorEnvManager([lambda: SMACEnv(EasyDict(map_name='3m'))] * 2)
    manager.seed(0)
    manager.launch()
    timesteps = _lose(lambda: manager.step({i: STOP for i in range(2)}))
    assert all(timestep.info['abnormal'] for timestep in timesteps.values())
    manager.reset({0: None})  # as DI-engine's collector does
    assert [obs['global_state'][0] for obs in manager.ready_obs.values()] == [20., 120.]


@pytest.mark.unittest
def test_lost_episode_ends_as_in_smac_and_counts_as_a_restart(losing: None) -> None:
    env = SMACMultiAgentEnv('3m', seed=0)
    env.reset()
    for _ in range(3):
        env.step(STOP)
    env.reset()
    assert [env.step(STOP)[1] for _ in range(2)] == [False, False]
    assert env.step(STOP) == (0., True, {})
    assert env.get_stats()['restarts'] == 1 and env.get_stats()['battles_game'] == 1
    with pytest.raises(RuntimeError, match='the episode is over'):
        env.step(STOP)
    env.reset()
    assert env.get_state()[0] == 20. and not env.step(STOP)[1]


@pytest.mark.unittest
def test_reset_keeps_the_episode_after_a_lost_one(losing: None) -> None:
    env = TrackedVecEnv(make_vec_env('3m', 2))
    env.reset()
    _lose(lambda: env.step(np.ones((2, 3), np.int64)))
    step = env.reset()
    assert step.state[:, 0].tolist() == [20., 120.] and not step.lost.any()


@pytest.mark.unittest
def test_lost_episodes_leave_no_video(losing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('PIL')
    battle = make_vec_env('3m', 1)
    units = UnitSnapshot(*(np.zeros((1, 6), np.int32) for _ in UnitSnapshot._fields))
    monkeypatch.setattr(battle, 'units', lambda: units)
    monkeypatch.setattr(battle, 'final_units', lambda: units)
    written = []
    env = RecordedVecEnv(battle, [str(tmp_path)])
    monkeypatch.setattr(env._files[str(tmp_path)], 'write', lambda label, frames: written.append(len(frames)))
    env.reset()
    for _ in range(9):
        env.step(np.ones((1, 3), np.int64))
    assert written == [4, 4]


@pytest.mark.unittest
def test_scripted_policy_plays_another_episode_in_place_of_a_lost_one(
        losing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    battles = make_vec_env('3m', 2)
    battles.episode[0] = 0  # the next one is the first that is lost
    policy = type('Stop', (), {'act': lambda self, step, units: np.ones((2, 3), np.int64)})()
    monkeypatch.setattr(evaluation, 'make_scripted_policy', lambda *args: policy)
    stats = evaluation.measure_policy(battles, 'stop')
    assert stats.n_lost.tolist() == [1, 0] and stats.length.tolist() == [3, 3] and stats.won.all()
