"""Checkpoints that hold code: it does not run, whoever opens them, also with a torch that runs it by default."""
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from ding.config import compile_config
from ding.entry import collect_demo_data, serial_pipeline
from ding.entry.application_entry import collect_episodic_demo_data
from ding.entry.application_entry import eval as eval_pipeline
from ding.entry.application_entry_trex_collect_data import collect_episodic_demo_data_for_trex
from ding.policy import create_policy
from ding.torch_utils import build_checkpoint_helper
from easydict import EasyDict

from ding_qmix.config import make_config
from ding_qmix.ding_compat import data_only
from ding_qmix.replay.episode_buffer import EpisodeBuffer
from ding_qmix.run_state.whole_file import mark_of

pytestmark = pytest.mark.usefixtures('scripted')


class Malicious:
    """What makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, ('it_ran', )


@pytest.fixture(autouse=True)
def _with_a_torch_that_runs_what_a_file_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch before version 2.6, in a folder of its own that has a malicious checkpoint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **kwargs: (text, False))  # takes seconds
    for name in data_only._OPENERS:
        monkeypatch.setattr(sys.modules[name], 'torch', torch)  # as it was before any policy was built
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    torch.save({'model': Malicious(), 'last_iter': 0}, 'checkpoint.pth.tar')


def _configs(pipeline: str = 'ding', **learn: Any) -> tuple[EasyDict, EasyDict]:
    return make_config(
        '3m',
        pipeline=pipeline,
        exp_name='run',
        env=dict(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=2),
        policy=dict(
            model=dict(hidden_size_list=[8]),
            learn=dict(n_threads=1, batch_size=4, update_per_collect=2, **learn),
            collect=dict(n_episode=4)
        ),
    )


def _train_on(pipeline: str) -> None:
    learner = dict(hook=dict(load_ckpt_before_run='checkpoint.pth.tar'))
    serial_pipeline(_configs(pipeline, learner=learner), seed=0, max_train_iter=2)


def _help_with_checkpoint() -> None:
    create_policy(_compiled().policy, enable_field=['eval'])
    build_checkpoint_helper(None).load('checkpoint.pth.tar', torch.nn.Linear(1, 1))


def _eval() -> None:
    eval_pipeline(_configs(), seed=0, load_path='checkpoint.pth.tar')


def _eval_from_config() -> None:
    eval_pipeline(_configs(learner=dict(load_path='checkpoint.pth.tar')), seed=0)


def _compiled() -> EasyDict:
    main_config, create_config = _configs()
    return compile_config(main_config, seed=0, auto=True, create_cfg=create_config, save_cfg=False)


def _collect() -> None:
    collect_demo_data(_configs(), 0, 2, 'data', state_dict_path='checkpoint.pth.tar')


def _collect_episodes() -> None:
    collect_episodic_demo_data(_configs(), 0, 2, 'data', state_dict_path='checkpoint.pth.tar')


def _collect_for_trex() -> None:
    collect_episodic_demo_data_for_trex(_configs(), 0, 2, 0, state_dict_path='checkpoint.pth.tar')


def _load_buffer() -> None:
    EpisodeBuffer(EasyDict(EpisodeBuffer.config)).load_data('checkpoint.pth.tar')


WAYS_IN: dict[str, Callable[[], None]] = {
    'load_ckpt_before_run, batched': lambda: _train_on('batched'),
    'load_ckpt_before_run, ding': lambda: _train_on('ding'),
    'eval --load-path': _eval,
    'learner.load_path': _eval_from_config,
    'CheckpointHelper': _help_with_checkpoint,
    'collect_demo_data': _collect,
    'collect_episodic_demo_data': _collect_episodes,
    'collect_episodic_demo_data_for_trex': _collect_for_trex,
    'buffer.load_data': _load_buffer,
}


@pytest.mark.unittest
@pytest.mark.parametrize('way', WAYS_IN)
def test_code_in_a_checkpoint_does_not_run(way: str) -> None:
    with pytest.raises(Exception, match=r'holds more than tensors|Weights only load failed'):
        WAYS_IN[way]()
    assert not os.path.exists('it_ran')


@pytest.mark.unittest
@pytest.mark.parametrize('kind', ['state', 'checkpoint'])
def test_code_in_a_whole_save_does_not_run(kind: str) -> None:
    serial_pipeline(_configs('batched'), seed=0, max_train_iter=2)
    folder = Path('run/ckpt/run_state')
    manifest = max(folder.glob('save_*.json'))
    save = json.loads(manifest.read_text('utf-8'))
    torch.save({'model': Malicious()}, folder / save[kind])
    save['files'][save[kind]] = mark_of(str(folder / save[kind]))
    manifest.write_text(json.dumps(save), 'utf-8')
    with pytest.raises(Exception, match='Weights only load failed'):
        serial_pipeline(_configs('batched', resume_training=True, resume_from='run'), seed=0, max_train_iter=4)
    assert not os.path.exists('it_ran')
