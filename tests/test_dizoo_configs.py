"""Every shipped config of this package's policy: its names agree with its map, DI-engine compiles it, and it trains."""
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from ding.config import read_config
from ding.entry import serial_pipeline
from ding.utils import deep_merge_dicts
from easydict import EasyDict

import dizoo_configs
from ding_qmix.config import make_config
from ding_qmix.policy import QMIXPolicy
from ding_qmix.smac.scenarios import SCENARIOS

FOLDER = Path(dizoo_configs.__file__).parent
OTHERS = ('diengine_qmix', 'wqmix', 'qtran', 'collaq', 'coma', 'madqn', 'mappo', 'masac', 'qmix_ding_pipeline')
OURS = sorted(path for path in FOLDER.glob('smac_*_config.py') if not path.stem[:-7].endswith(OTHERS))
SHORT_NAMES = {name.replace('_vs_', ''): name for name in sorted(SCENARIOS, reverse=True)} | {'3svs5z': '3s_vs_5z'}
SIX = ('MMM', '3s5z', 'MMM2', '5m_vs_6m', '2c_vs_64zg', '3s5z_vs_3s6z')


def _parts(path: Path) -> tuple[str, str]:
    """The map's name and the policy's name that a file's name tells."""
    match = re.fullmatch(r'smac_(.+?)_(qmix_pymarl|qmix_blind|qmix|vdn)_config', path.stem)
    assert match is not None, path
    return SHORT_NAMES[match[1]], match[2]


def _policy(config: EasyDict) -> dict[str, Any]:
    """A config's policy section with the defaults of whatever reads it."""
    return deep_merge_dicts(deep_merge_dicts(QMIXPolicy.default_config(), MODEL), config.policy)


MODEL = dict(model=dict(mixer=True, lstm_type='gru'))


@pytest.mark.unittest
def test_every_map_has_qmix_and_six_have_vdn() -> None:
    parts = [_parts(path) for path in OURS]
    assert sorted(name for name, policy in parts if policy == 'qmix') == sorted(SCENARIOS)
    assert sorted(name for name, policy in parts if policy == 'vdn') == sorted(SIX)


@pytest.mark.unittest
@pytest.mark.parametrize('path', OURS, ids=lambda path: path.stem)
def test_names_and_map_agree(path: Path) -> None:
    main, create = read_config(str(path))
    map_name, policy = _parts(path)
    assert main.env.map_name == map_name and main.exp_name == f'{path.stem[:-7]}_seed0'
    assert create.policy.type == 'ding_qmix' and create.env_manager.type == 'ding_smac_vector'
    assert main.policy.model.get('mixer', True) == (policy != 'vdn')
    assert main.policy.model.action_shape == SCENARIOS[map_name].n_actions
    assert f"{map_name}" in (importlib.import_module(f'dizoo_configs.{path.stem}').__doc__ or '')


@pytest.mark.unittest
def test_the_config_that_shows_all_has_the_defaults() -> None:
    shown, default = read_config(str(FOLDER / 'smac_MMM_qmix_config.py')), make_config('MMM')
    assert (shown[0].env, shown[1]) == (default[0].env, default[1]) and _policy(shown[0]) == _policy(default[0])


@pytest.mark.unittest
@pytest.mark.parametrize('path', OURS, ids=lambda path: path.stem)
def test_config_trains(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('ding.config.config.save_config', lambda *args, **kwargs: None)  # takes longer than the run
    main, create = read_config(str(path))
    name = main.env.map_name
    monkeypatch.setitem(SCENARIOS, name, SCENARIOS[name]._replace(episode_limit=4))
    main.env.update(collector_env_num=1, evaluator_env_num=1, n_evaluator_episode=1)
    # The check of the kernels takes longer than the run; tests/policy/test_fast_path.py makes it.
    main.policy.learn.update(batch_size=2, update_per_collect=1, save_run_state=False, gradient='autograd')
    main.policy.collect.update(n_episode=2, env_num=1)
    main.policy.eval.env_num = 1
    policy = serial_pipeline((main, create), seed=0, max_train_iter=1)
    assert policy.learn_mode.state_dict()['updates'] == 1
