"""Pictures and videos of battles."""
import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.painter import HEADER, BattlePainter
from ding_qmix.render.recorder import BattleRecorder, RecordingFiles
from ding_qmix.render.style import ALLY, ENEMY_SHOT, HEALING, ICONS, PAPER, PATHABLE, blend
from ding_qmix.render.video import default_format, write_video
from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.scenarios import SCENARIOS, make_spec
from ding_qmix.smac.units import UNIT_NAMES
from ding_qmix.spec import UnitSnapshot

Image = pytest.importorskip('PIL.Image', reason='pillow is not installed')


def _play(map_name: str, n_steps: int) -> SimVecEnv:
    """A battle after some steps of the policy 'closest'."""
    env = SimVecEnv(map_name, 1, seed=1, n_threads=1)
    policy, step = make_scripted_policy('closest', env.spec, 1), env.reset()
    for _ in range(n_steps):
        step = env.step(policy.act(step, env.units()))
    return env


def _record(map_name: str, n_envs: int = 1) -> list[list[BattleFrame]]:
    """The frames of each env's first episode."""
    env = SimVecEnv(map_name, n_envs, seed=1, n_threads=1)
    policy, step = make_scripted_policy('closest', env.spec, n_envs), env.reset()
    recorder, active = BattleRecorder(env), np.ones(n_envs, bool)
    while active.any():
        units, mask = env.units(), step.action_mask.copy()
        actions = policy.act(step, units)
        step = env.step(actions, active)
        active[recorder.record(units, mask, actions, step, active)] = False
    return [recorder.frames(e) for e in range(n_envs)]


def _has(picture: np.ndarray, color: tuple, tolerance: int = 4) -> bool:
    """Is there such a pixel in the map, the lines of text left out?"""
    picture = picture[HEADER:-HEADER]
    return bool((abs(picture.astype(int) - color).max(axis=-1) <= tolerance).any())


def _n_pictures(path: str) -> int:
    with Image.open(path) as video:
        return video.n_frames


def _skip_without_ffmpeg() -> None:
    pytest.importorskip('imageio', reason='imageio is not installed')
    pytest.importorskip('imageio_ffmpeg', reason='imageio-ffmpeg is not installed')


@pytest.mark.unittest
def test_every_unit_type_has_an_icon() -> None:
    assert set(ICONS) == set(UNIT_NAMES)


@pytest.mark.unittest
@pytest.mark.parametrize('q_values', [False, True])
def test_picture_is_rgb_with_even_sides(q_values: bool) -> None:
    env = _play('MMM', 0)
    frame = BattleFrame(env.units(), 0, 0., 0., q_values=np.zeros((10, 16)) if q_values else None)
    picture = BattlePainter(env.spec, 13, q_values).paint(frame)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0


@pytest.mark.unittest
def test_q_values_are_drawn_beside_the_map() -> None:
    env, q_values = _play('MMM', 3), np.linspace(0., 1., 160).reshape(10, 16)
    frame = BattleFrame(env.units(), 3, 0., 0., actions=np.ones(10, int), q_values=q_values)
    with_q = BattlePainter(env.spec, q_values=True).paint(frame)
    without = BattlePainter(env.spec).paint(frame)
    assert with_q.shape[1] > without.shape[1]
    assert len(np.unique(with_q[:, without.shape[1]:].reshape(-1, 3), axis=0)) > 50


@pytest.mark.unittest
def test_picture_shows_shots_and_healing_only_while_there_are_any() -> None:
    env = _play('MMM', 0)
    units, painter = env.units(), BattlePainter(env.spec)
    units.x[0, 16], units.y[0, 16] = units.x[0, 0] + 4., units.y[0, 0]  # an enemy beside agent 0
    healer = int(np.argmax(units.unit_type[0] == UNIT_NAMES.index('medivac')))

    def paint(u: int, target: int) -> np.ndarray:
        aims = np.where(np.arange(20) == u, target, -1)[None]
        return painter.paint(BattleFrame(units._replace(target=aims), 0, 0., 0.))

    quiet, healing, firing = paint(0, -1), paint(healer, 0), paint(16, 0)
    assert not _has(quiet, HEALING) and _has(healing, HEALING)
    assert not _has(quiet, ENEMY_SHOT) and _has(firing, ENEMY_SHOT)


@pytest.mark.unittest
def test_dead_units_are_crossed_out() -> None:
    env = _play('3m', 0)
    units, painter = env.units(), BattlePainter(env.spec)
    living = painter.paint(BattleFrame(units, 0, 0., 0.))
    units.alive[0, :3] = False
    dead = painter.paint(BattleFrame(units, 0, 0., 0.))
    icon, cross = blend(ALLY, PAPER, .8), blend(ALLY, PATHABLE, .6)
    assert _has(living, icon) and not _has(dead, icon)
    assert _has(dead, cross) and not _has(living, cross)


@pytest.mark.unittest
def test_painter_scale_too_small_raises() -> None:
    with pytest.raises(ValueError, match='scale=2'):
        BattlePainter(make_spec('3m'), scale=2)


@pytest.mark.unittest
def test_recorder_gives_one_frame_more_than_steps() -> None:
    frames = _record('3m')[0]
    assert [frame.step for frame in frames] == list(range(len(frames)))
    assert all(frame.result == '' for frame in frames[:-1]) and frames[-1].result in ('won', 'lost', 'draw')
    assert frames[-1].episode_return == pytest.approx(sum(frame.reward for frame in frames), abs=1e-5)


@pytest.mark.unittest
def test_last_frame_shows_the_ended_battle_not_the_next() -> None:
    for frames in _record('3m', n_envs=4):
        alive = frames[-1].units.alive[0]
        assert not alive[:3].any() if frames[-1].result == 'lost' else not alive[3:].any()


@pytest.mark.unittest
@pytest.mark.parametrize('special_global_state', [False, True])
def test_last_frame_has_the_final_units_and_the_episodes_score(special_global_state: bool) -> None:
    env = SimVecEnv('MMM', 2, seed=3, n_threads=1, special_global_state=special_global_state)
    policy, step, recorder = make_scripted_policy('closest', env.spec, 2), env.reset(), BattleRecorder(env)
    ended = np.array([], int)
    while len(ended) == 0:
        units, mask = env.units(), step.action_mask.copy()
        actions = policy.act(step, units)
        step = env.step(actions)
        ended = recorder.record(units, mask, actions, step)
    e = int(ended[0])
    last, final = recorder.frames(e)[-1], env.final_units()
    for shown, expected in zip(last.units, final):
        np.testing.assert_array_equal(shown[0], expected[e])
    assert (last.step, last.episode_return) == (step.episode_len[e], step.episode_return[e])


@pytest.mark.unittest
def test_gif_has_a_picture_per_frame(tmp_path: Path) -> None:
    frames = _record('3m')[0]
    path = RecordingFiles(make_spec('3m'), str(tmp_path), 'gif', prefix='p_').write('env007', frames)
    assert Path(path).name == f'p_3m_env007_episode000_{frames[-1].result}.gif'
    assert _n_pictures(path) == len(frames)


@pytest.mark.unittest
def test_mp4_has_a_picture_per_frame(tmp_path: Path) -> None:
    _skip_without_ffmpeg()
    import imageio.v2 as imageio
    frames = _record('3m')[0]
    path = RecordingFiles(make_spec('3m'), str(tmp_path), 'mp4', scale=8).write('env000', frames)
    with imageio.get_reader(path) as reader:
        assert reader.count_frames() == len(frames)


@pytest.mark.unittest
def test_recordings_are_numbered_by_label(tmp_path: Path) -> None:
    files, frames = RecordingFiles(make_spec('3m'), str(tmp_path), 'gif', scale=4), _record('3m')[0]
    names = [Path(files.write(label, frames)).name[:20] for label in ('env0', 'env0', 'env1')]
    assert names == ['3m_env0_episode000_l', '3m_env0_episode001_l', '3m_env1_episode000_l']


@pytest.mark.unittest
@pytest.mark.parametrize(
    'path, fps, n_pictures, message',
    [('a.avi', 8., 1, 'ends in none of'), ('a.gif', 0., 1, 'fps=0'), ('a.gif', 8., 0, 'no picture')]
)
def test_write_video_refuses(tmp_path: Path, path: str, fps: float, n_pictures: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_video(str(tmp_path / path), [np.zeros((4, 4, 3), np.uint8)] * n_pictures, fps)


@pytest.mark.unittest
@pytest.mark.parametrize('path, missing', [('a.mp4', 'imageio'), ('a.gif', 'PIL')])
def test_missing_package_is_named_with_the_remedy(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, missing: str
) -> None:
    importer = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split('.')[0] == missing:
            raise ImportError(name)
        return importer(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(ImportError, match=r'ding-qmix\[render\]'):
        write_video(str(tmp_path / path), [np.zeros((4, 4, 3), np.uint8)], 8.)


@pytest.mark.unittest
def test_default_format_can_be_written(tmp_path: Path) -> None:
    write_video(str(tmp_path / f'a.{default_format()}'), [np.zeros((16, 16, 3), np.uint8)] * 2, 8.)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_every_map_can_be_drawn(map_name: str) -> None:
    env = _play(map_name, 2)
    units: UnitSnapshot = env.units()
    assert len(np.unique(BattlePainter(env.spec, 8).paint(BattleFrame(units, 2, 0., 0.)).reshape(-1, 3), axis=0)) > 20
