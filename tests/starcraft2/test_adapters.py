"""DI-engine's env, its vector manager and PyMARL's env on the game, as far as they differ from the simulator."""
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from easydict import EasyDict
from game_install import GameInstall, is_running

from ding_qmix.envs import SMACEnv, SMACMultiAgentEnv, VectorEnvManager


@pytest.fixture
def install(tmp_path: Path) -> GameInstall:
    return GameInstall(tmp_path / 'game')


def env_config(install: GameInstall, **others: Any) -> EasyDict:
    return EasyDict(map_name='3m', backend='starcraft2', game=install.options(), **others)


@pytest.mark.unittest
def test_ding_env_saves_the_games_own_replay(install: GameInstall, tmp_path: Path) -> None:
    env = SMACEnv(env_config(install))
    env.seed(3)
    env.enable_save_replay(str(tmp_path / 'replays'))
    env.reset()
    while not env.step(env.random_action()).done:
        pass
    env.close()
    assert [file.name for file in (tmp_path / 'replays').iterdir()] == ['3m_seed3_game1.SC2Replay']
    assert not any(map(is_running, install.pids()))


@pytest.mark.unittest
def test_vector_manager_plays_games_and_shows_a_broken_one_as_dings_abnormal(install: GameInstall) -> None:
    install.plan(dict(kind='error', start=0, at=1))
    manager = VectorEnvManager([lambda: SMACEnv(env_config(install))] * 2)
    manager.seed(0)
    manager.launch()
    timesteps = [manager.step(manager.random_action()) for _ in range(2)][-1]
    abnormal = [timestep.info.get('abnormal', False) for timestep in timesteps.values()]
    assert sorted(abnormal) == [False, True]
    assert 'cannot step now' in timesteps[int(np.argmax(abnormal))].info['cause']
    manager.close()
    assert not any(map(is_running, install.pids()))


@pytest.mark.unittest
def test_pymarls_env_saves_the_games_own_replay(install: GameInstall, tmp_path: Path) -> None:
    options = dict(game=install.options(), seed=4)
    env = SMACMultiAgentEnv('3m', 'starcraft2', replay_dir=str(tmp_path), replay_prefix='my_', **options)
    env.reset()
    env.step([1, 1, 1])
    path = Path(env.save_replay())
    assert path.name == 'my_3m_seed4_000.SC2Replay' and path.read_bytes() == b'replay of 3m, 1 actions'
    env.close()
