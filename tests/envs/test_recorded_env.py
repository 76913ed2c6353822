"""Videos of episodes through the envs: DI-engine's env and manager, PyMARL's env."""
from pathlib import Path

import pytest

from ding_qmix.envs import SMACMultiAgentEnv, VectorEnvManager
from ding_qmix.envs.ding_env import SMACEnv

Image = pytest.importorskip('PIL.Image', reason='pillow is not installed')


def _n_pictures(path: str) -> int:
    with Image.open(path) as video:
        return video.n_frames


@pytest.mark.unittest
def test_manager_writes_one_video_per_episode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ding_qmix.render.recorder.RECORDING_FORMAT', 'gif')
    manager = VectorEnvManager([lambda: SMACEnv(dict(map_name='3m'))] * 3, dict(episode_num=1))
    manager.seed(0)
    manager.enable_save_replay(str(tmp_path))
    manager.launch()
    lengths = {}
    while not manager.done:
        for i, timestep in manager.step(manager.random_action()).items():
            if timestep.done:
                lengths[i] = int(timestep.info['episode_info']['episode_len'])
    found = sorted(tmp_path.glob('*.gif'))
    assert [path.name[:21] for path in found] == [f'3m_env00{i}_episode000_' for i in range(3)]
    assert [_n_pictures(str(path)) for path in found] == [lengths[i] + 1 for i in range(3)]
    manager.close()


@pytest.mark.unittest
def test_manager_video_folders_must_match_the_envs() -> None:
    manager = VectorEnvManager([lambda: SMACEnv(dict(map_name='3m'))] * 3)
    with pytest.raises(ValueError, match='got 2 folders for 3 envs'):
        manager.enable_save_replay(['a', 'b'])


@pytest.mark.unittest
def test_recording_leaves_the_battle_as_it_is(tmp_path: Path) -> None:
    returns = []
    for folder in (None, str(tmp_path)):
        env = SMACEnv(dict(map_name='3m'))
        env.seed(3)
        if folder is not None:
            env.enable_save_replay(folder)
        env.reset()
        timestep = env.step(env.random_action())
        while not timestep.done:
            timestep = env.step(env.random_action())
        returns.append(timestep.info['episode_info']['shaped_return'])
    assert returns[0] == returns[1]
    assert [path.name[:20] for path in tmp_path.iterdir()] == ['3m_seed3_episode000_']


@pytest.mark.unittest
def test_unfinished_episode_leaves_no_file(tmp_path: Path) -> None:
    env = SMACEnv(dict(map_name='3m'))
    env.enable_save_replay(str(tmp_path))
    env.reset()
    env.step(env.random_action())
    env.reset()
    env.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.unittest
def test_pymarl_save_replay_writes_what_was_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ding_qmix.render.recorder.RECORDING_FORMAT', 'gif')
    env = SMACMultiAgentEnv('3m', seed=4, replay_dir=str(tmp_path), replay_prefix='try_')
    env.reset()
    for _ in range(5):
        env.step([1, 1, 1])
    path = env.save_replay()
    assert Path(path).name == 'try_3m_seed4_episode000_unfinished.gif' and _n_pictures(path) == 5


@pytest.mark.unittest
def test_pymarl_save_replay_without_a_folder_writes_to_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ding_qmix.render.recorder.RECORDING_FORMAT', 'gif')
    monkeypatch.chdir(tmp_path)
    env = SMACMultiAgentEnv('3m', seed=4, replay_dir='')
    env.reset()
    env.step([1, 1, 1])
    path = env.save_replay()
    assert Path(path) == Path('replays/3m_seed4_episode000_unfinished.gif') and _n_pictures(path) == 1


@pytest.mark.unittest
def test_pymarl_save_replay_before_a_step_raises(tmp_path: Path) -> None:
    env = SMACMultiAgentEnv('3m', replay_dir=str(tmp_path))
    env.reset()
    with pytest.raises(RuntimeError, match='no step'):
        env.save_replay()


@pytest.mark.unittest
def test_pymarl_render_returns_a_picture_or_names_the_mode() -> None:
    env = SMACMultiAgentEnv('3m')
    env.reset()
    assert env.render().shape[2] == 3
    with pytest.raises(ValueError, match="'human' is not offered"):
        env.render('human')
