"""DI-engine's own managers, collector, evaluator, entries and qmix policy on env ``ding_smac``."""
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ding.entry import serial_pipeline
from ding.entry.application_entry import eval as eval_pipeline
from ding.envs import create_env_manager
from ding.utils import ENV_MANAGER_REGISTRY
from easydict import EasyDict

from ding_qmix.envs import SMACEnv

MANAGERS = [
    dict(type='base'),
    dict(type='subprocess', shared_memory=False),
    dict(type='subprocess', shared_memory=True),
    dict(type='ding_smac_vector'),
]
IDS = ['base', 'subprocess', 'shared_memory', 'vector']


def _manager(cfg: dict[str, Any], n_envs: int) -> Any:
    """An env manager as DI-engine's entries build it."""
    manager_cfg = ENV_MANAGER_REGISTRY.get(cfg['type']).default_config()
    manager_cfg.update(cfg)
    env_cfgs = SMACEnv.create_collector_env_cfg(dict(map_name='3m', collector_env_num=n_envs))
    return create_env_manager(manager_cfg, [partial(SMACEnv, cfg=c) for c in env_cfgs])


def _configs(manager: dict[str, Any], n_envs: int = 2) -> tuple[EasyDict, EasyDict]:
    """DI-engine's qmix on 3m with its own collector, buffer and evaluator, as small as it gets."""
    main_config = dict(
        exp_name='run',
        env=dict(map_name='3m', collector_env_num=n_envs, evaluator_env_num=n_envs, n_evaluator_episode=3),
        policy=dict(
            model=dict(
                agent_num=3,
                obs_shape=42,
                global_obs_shape=48,
                action_shape=9,
                hidden_size_list=[8],
                mixer=True,
                lstm_type='gru',
                dueling=False
            ),
            learn=dict(update_per_collect=2, batch_size=4, learning_rate=5e-4, clip_value=5, discount_factor=0.95),
            collect=dict(n_episode=n_envs, unroll_len=10, env_num=n_envs),
            eval=dict(env_num=n_envs, evaluator=dict(eval_freq=2)),
            other=dict(
                eps=dict(type='linear', start=1, end=0.05, decay=1000), replay_buffer=dict(replay_buffer_size=100)
            ),
        ),
    )
    create_config = dict(
        env=dict(type='ding_smac', import_names=['ding_qmix']),
        env_manager=dict(manager, import_names=['ding_qmix']),
        policy=dict(type='qmix'),
        collector=dict(type='episode', get_train_sample=True),
    )
    return EasyDict(main_config), EasyDict(create_config)


def _battles(manager: Any, n_steps: int) -> list[np.ndarray]:
    """Global states of all envs; every agent does the last thing that it may."""
    manager.launch()
    states = []
    for _ in range(n_steps):
        obs = manager.ready_obs
        while len(obs) < manager.env_num:  # DI-engine's subprocess manager resets in the background
            obs = manager.ready_obs
        timesteps = manager.step({i: 8 - np.argmax(o['action_mask'][:, ::-1], axis=1) for i, o in obs.items()})
        states.append(np.stack([timesteps[i].obs['global_state'] for i in range(manager.env_num)]))
    manager.close()
    return states


@pytest.mark.unittest
@pytest.mark.parametrize('cfg', MANAGERS, ids=IDS)
def test_ding_managers_play_the_same_battles(cfg: dict[str, Any]) -> None:
    manager, reference = _manager(cfg, 2), _manager(dict(type='base'), 2)
    for m in (manager, reference):
        m.seed(3, dynamic_seed=False)
    assert np.array_equal(_battles(manager, 130), _battles(reference, 130))


@pytest.mark.unittest
@pytest.mark.parametrize('cfg', MANAGERS, ids=IDS)
def test_ding_qmix_trains_and_evaluates(cfg: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    policy = serial_pipeline(_configs(cfg), seed=0, max_train_iter=4)
    win_rate = eval_pipeline(_configs(cfg), seed=0, state_dict=policy.learn_mode.state_dict())
    assert 0. <= win_rate <= 1.


@pytest.mark.unittest
@pytest.mark.parametrize('cfg', [MANAGERS[0], MANAGERS[3]], ids=[IDS[0], IDS[3]])
def test_ding_run_repeats_under_a_seed(cfg: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = []
    for _ in range(2):
        policy = serial_pipeline(_configs(cfg), seed=5, max_train_iter=2)
        runs.append(policy.learn_mode.state_dict()['model'])
    assert all(np.array_equal(runs[0][name], runs[1][name]) for name in runs[0])
