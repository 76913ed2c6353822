"""Each shipped config of another policy, and ours in DI-engine's pipeline, collects, trains, evaluates; on map 3m."""
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from ding.entry import serial_pipeline, serial_pipeline_onpolicy
from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.ding_compat.config import move_to_map
from ding_qmix.smac.scenarios import SCENARIOS

CHUNKS = dict(
    learn=dict(update_per_collect=2, batch_size=4),
    collect=dict(n_episode=2, unroll_len=4),
    other=dict(replay_buffer=dict(replay_buffer_size=50)),
)
# Name of the config file -> what makes it small.
SMALL: dict[str, dict[str, Any]] = {
    'qmix_ding_pipeline': CHUNKS,
    'diengine_qmix': CHUNKS,
    'wqmix': CHUNKS,
    'qtran': dict(CHUNKS, model=dict(hidden_size_list=[16], embedding_size=16)),
    'collaq': dict(CHUNKS, model=dict(hidden_size_list=[16])),
    'coma': CHUNKS,
    'madqn': dict(CHUNKS, model=dict(hidden_size_list=[16, 16])),
    'mappo': dict(learn=dict(epoch_per_collect=1, batch_size=16), collect=dict(n_sample=32)),
    'masac': dict(
        learn=dict(update_per_collect=2, batch_size=16),
        collect=dict(n_sample=32),
        other=dict(replay_buffer=dict(replay_buffer_size=100))
    ),
}


def small_configs(name: str) -> tuple[EasyDict, EasyDict]:
    """The shipped pair of configs on map 3m with two envs, one collection, two updates."""
    shipped = importlib.import_module(f'dizoo_configs.smac_MMM_{name}_config')
    main_config, create_config = move_to_map(shipped.main_config, shipped.create_config, '3m')
    main_config.env.update(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=2)
    policy = deep_merge_dicts(SMALL[name], dict(collect=dict(env_num=2), eval=dict(env_num=2)))
    main_config.policy = EasyDict(deep_merge_dicts(main_config.policy, policy))
    if create_config.env_manager.type == 'subprocess':
        create_config.env_manager = EasyDict(type='base')
    return main_config, create_config


@pytest.mark.unittest
@pytest.mark.parametrize('name', SMALL)
def test_shipped_config_collects_trains_and_evaluates(
        name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SCENARIOS, '3m', SCENARIOS['3m']._replace(episode_limit=8))
    monkeypatch.setattr('ding.config.config.save_config', lambda *args, **kwargs: None)  # takes longer than the run
    configs = small_configs(name)
    pipeline = serial_pipeline_onpolicy if name == 'mappo' else serial_pipeline
    policy = pipeline(configs, seed=0, max_train_iter=2)
    best = tmp_path / configs[0].exp_name / 'ckpt' / 'ckpt_best.pth.tar'  # of the only evaluation, before training
    first = torch.load(best, weights_only=True)['model']
    last = policy.learn_mode.state_dict()['model']
    assert all(torch.isfinite(weight).all() for weight in last.values())
    assert any(not torch.equal(first[name], weight) for name, weight in last.items())
