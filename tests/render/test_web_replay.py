"""A battle as one HTML file: what stands in it, and that it plays in a browser."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ding_qmix.envs import SMACMultiAgentEnv, make_vec_env
from ding_qmix.render.recorder import BattleRecorder
from ding_qmix.render.web_replay import Curve, write_web_replay

_CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


def _episode(path: Path, map_name: str = '3m', n_steps: int = 6) -> dict:
    """Write the first steps of a battle, with made-up values; return the data in the file."""
    env = make_vec_env(map_name, 1, seed=0)
    recorder, step = BattleRecorder(env), env.reset()
    for t in range(n_steps):
        units, mask = env.units(), step.action_mask.copy()
        q_values = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
        actions = np.where(mask, q_values, -1.).argmax(-1)
        step = env.step(actions)
        recorder.record(units, mask, actions, step, q_values=q_values, q_tot=np.array([float(t)]))
    curve = Curve([(0, 0.), (1000, 0.5)], 1000)
    assert write_web_replay(str(path), env.spec, recorder.frames(0), 'a </script> label', curve) == n_steps
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', path.read_text('utf-8'), re.DOTALL)
    return json.loads(found[1])


def _dom(page: Path, place: str = '') -> str:
    """Return the page as it stands after some seconds in a browser."""
    done = subprocess.run(
        [
            _CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={page.parent / "profile"}',
            '--virtual-time-budget=20000', '--dump-dom', f'file://{page}{place}'
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ, 'HOME': str(page.parent)
        }
    )
    return done.stdout


@pytest.mark.unittest
def test_page_has_every_frame_with_its_values(tmp_path: Path) -> None:
    data = _episode(tmp_path / 'a.html')
    assert len(data['frames']) == 6 and data['n_agents'] == 3 and len(data['unit_type']) == 6
    assert [frame['q_tot'] for frame in data['frames']] == [0., 1., 2., 3., 4., 5.]
    assert data['frames'][2]['q'][1] == list(range(9, 18)) and len(data['frames'][2]['legal'][1]) == 9
    assert data['win_rate'] == [[0, 0.], [1000, 0.5]] and data['label'] == 'a </script> label'


@pytest.mark.unittest
def test_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    _episode(tmp_path / 'a.html')
    text = (tmp_path / 'a.html').read_text('utf-8')
    assert not re.search(r'\b(src|href)\s*=|https?://|@import|__[A-Z]+__', text)


@pytest.mark.unittest
def test_page_of_no_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='no frame'):
        write_web_replay(str(tmp_path / 'a.html'), make_vec_env('3m', 1).spec, [])


@pytest.mark.unittest
def test_recordings_are_pages(tmp_path: Path) -> None:
    env = SMACMultiAgentEnv('3m', seed=4, replay_dir=str(tmp_path))
    env.reset()
    env.step([1, 1, 1])
    assert Path(env.save_replay()).name == '3m_seed4_episode000_unfinished.html'


@pytest.mark.unittest
@pytest.mark.skipif(_CHROMIUM is None, reason='no Chromium is installed, in which the page could play')
def test_page_plays_to_its_end_in_a_browser(tmp_path: Path) -> None:
    _episode(tmp_path / 'a.html', 'MMM')
    dom = _dom(tmp_path / 'a.html')
    body = re.search(r'<body[^>]*>', dom)[0]
    assert 'data-error' not in body and 'data-state="ended"' in body and 'data-frame="5"' in body


@pytest.mark.unittest
@pytest.mark.skipif(_CHROMIUM is None, reason='no Chromium is installed, in which the page could be shown')
def test_page_shows_a_unit_with_its_q_values(tmp_path: Path) -> None:
    _episode(tmp_path / 'a.html', 'MMM')
    dom = _dom(tmp_path / 'a.html', '#step=3&unit=0')
    assert 'data-error' not in dom and 'data-frame="3"' in dom and 'Q-values' in dom and 'cooldown' in dom
