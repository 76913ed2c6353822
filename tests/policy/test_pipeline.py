"""Our policy in DI-engine's serial pipeline: on its own collector, buffers and evaluator, and on ours."""
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from ding.config import read_config
from ding.entry import serial_pipeline
from ding.entry.application_entry import eval as eval_pipeline
from ding.utils import deep_merge_dicts
from ding.worker.replay_buffer import AdvancedReplayBuffer
from easydict import EasyDict

from ding_qmix.config import make_config
from ding_qmix.worker import EpisodeBuffer, VectorCollector

CREATE = {  # sections of create_config, by the pipeline and what differs in it
    'batched': {},
    'ding': {},
    'ding_advanced': dict(replay_buffer=dict(type='advanced')),
    'ding_subprocess': dict(env_manager=dict(type='subprocess')),
}
EPISODES, CHUNKS = {}, dict(unroll_len=2, burnin_step=1)
pytestmark = pytest.mark.usefixtures('scripted')


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # DI-engine writes the config with yapf, which takes longer than the runs here.
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **kwargs: (text, False))


def _configs(pipeline: str, collect: dict[str, Any], exp_name: str = 'run') -> tuple[EasyDict, EasyDict]:
    """3m, as small as it gets; the buffer is soon full."""
    return make_config(
        '3m',
        pipeline=pipeline.split('_')[0],
        exp_name=exp_name,
        env=dict(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=3, stop_value=2.),
        policy=dict(
            model=dict(hidden_size_list=[8]),
            learn=dict(update_per_collect=2, batch_size=4, target_update_freq=3, n_threads=1),
            collect=dict(n_episode=4, **collect),
            other=dict(replay_buffer=dict(replay_buffer_size=10)),
        ),
        create=CREATE[pipeline],
    )


@pytest.mark.unittest
@pytest.mark.parametrize(
    'pipeline, collect', [
        ('batched', EPISODES),
        ('batched', CHUNKS),
        ('ding', CHUNKS),
        ('ding_advanced', EPISODES),
        ('ding_subprocess', EPISODES),
    ]
)
def test_pipeline_trains_evaluates_and_keeps_a_checkpoint(pipeline: str, collect: dict[str, Any]) -> None:
    serial_pipeline(_configs(pipeline, collect), seed=0, max_train_iter=4)
    state_dict = torch.load('run/ckpt/ckpt_best.pth.tar', weights_only=True)
    win_rate = eval_pipeline(_configs(pipeline, collect), seed=0, state_dict=state_dict)
    assert 0. <= win_rate <= 1.


@pytest.mark.unittest
@pytest.mark.parametrize(
    'model, line', [({}, 'gradient: '), (dict(mixer=False), 'gradient: autograd (the mixer is a VDN')]
)
def test_learners_log_says_how_gradients_are_computed(model: dict[str, Any], line: str) -> None:
    main_config, create_config = _configs('batched', EPISODES)
    main_config.policy.model.update(model)
    serial_pipeline((main_config, create_config), seed=0, max_train_iter=1)
    assert line in Path('run/log/learner/learner_logger.txt').read_text('utf-8')


def _resumed(exp_name: str, checkpoint: str) -> tuple[EasyDict, EasyDict]:
    main_config, create_config = _configs('batched', CHUNKS, exp_name)
    main_config.policy.learn.resume_training = True
    main_config.policy.learn.learner = dict(hook=dict(load_ckpt_before_run=checkpoint))
    return main_config, create_config


@pytest.mark.unittest
@pytest.mark.parametrize('pipeline, collect', [('batched', EPISODES), ('ding', CHUNKS)])
def test_config_that_a_run_saved_evaluates_its_checkpoint(pipeline: str, collect: dict[str, Any]) -> None:
    serial_pipeline(_configs(pipeline, collect), seed=0, max_train_iter=2)
    saved = read_config('run/formatted_total_config.py')
    assert 0. <= eval_pipeline(saved, seed=0, load_path='run/ckpt/iteration_0.pth.tar') <= 1.


@pytest.mark.unittest
def test_training_resumed_from_its_files_is_bit_for_bit_the_one_that_never_stopped() -> None:
    straight = serial_pipeline(_configs('batched', CHUNKS, 'straight'), seed=0, max_train_iter=12)
    serial_pipeline(_configs('batched', CHUNKS, 'half'), seed=0, max_train_iter=6)
    resumed = serial_pipeline(_resumed('rest', 'half/ckpt/iteration_6.pth.tar'), seed=7, max_train_iter=12)
    states = [policy.learn_mode.state_dict() for policy in (straight, resumed)]
    for part in ('model', 'target_model'):
        assert all(torch.equal(states[0][part][name], states[1][part][name]) for name in states[0][part])
    assert states[0]['updates'] == states[1]['updates'] == 12


@pytest.mark.unittest
def test_training_goes_on_from_a_checkpoint_without_the_rest_of_the_run() -> None:
    serial_pipeline(_configs('batched', CHUNKS, 'half'), seed=0, max_train_iter=4)
    shutil.rmtree('half/ckpt/run_state')
    policy = serial_pipeline(_resumed('rest', 'half/ckpt/iteration_4.pth.tar'), seed=7, max_train_iter=6)
    assert policy.learn_mode.state_dict()['updates'] == 6


@pytest.mark.unittest
def test_ctrl_c_ends_the_training_with_a_checkpoint_that_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    collect, before = VectorCollector.collect, signal.getsignal(signal.SIGINT)

    def interrupted(self: VectorCollector, *args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return collect(self, *args, **kwargs)

    monkeypatch.setattr(VectorCollector, 'collect', interrupted)
    serial_pipeline(_configs('batched', EPISODES), seed=0, max_train_iter=10 ** 6)
    state_dict = torch.load('run/ckpt/ckpt_interrupted.pth.tar', weights_only=True)
    assert state_dict['last_iter'] == 2 and signal.getsignal(signal.SIGINT) == before
    assert 0. <= eval_pipeline(_configs('batched', EPISODES), seed=0, state_dict=state_dict) <= 1.


@pytest.mark.unittest
@pytest.mark.parametrize(
    'policy, message', [
        (dict(learn=dict(batchsize=3)), r"policy\.learn: unknown key 'batchsize'; did you mean 'batch_size'"),
        (dict(model=dict(mixr=True)), r"policy\.model: unknown key 'mixr'; did you mean 'mixer'"),
        (dict(collect=dict(collector=dict(print_freq=3))), "'print_freq'; did you mean 'collect_print_freq'"),
        (dict(eval=dict(evaluator=dict(eval_frq=3))), "'eval_frq'; did you mean 'eval_freq'"),
        (dict(other=dict(replay_buffer=dict(max_rws=3))), "'max_rws'; did you mean 'max_rows'"),
    ]
)
def test_unknown_key_stops_the_run_before_it_begins_with_the_nearest_key(policy: dict[str, Any], message: str) -> None:
    main_config, create_config = _configs('batched', EPISODES)
    main_config.policy = deep_merge_dicts(main_config.policy, policy)
    with pytest.raises(ValueError, match=message):
        serial_pipeline((main_config, create_config), seed=0, max_train_iter=2)


@pytest.mark.unittest
@pytest.mark.parametrize('pipeline', ['batched', 'ding_advanced'])
@pytest.mark.parametrize('collect', [EPISODES, CHUNKS])
def test_prioritised_replay_gets_its_priorities(monkeypatch: pytest.MonkeyPatch, pipeline: str, collect: dict) -> None:
    main_config, create_config = _configs(pipeline, collect)
    main_config.policy.update(priority=True, priority_IS_weight=True)
    if pipeline == 'batched':
        main_config.policy.other.replay_buffer.priority = True
    kind = EpisodeBuffer if pipeline == 'batched' else AdvancedReplayBuffer
    update, seen = kind.update, []

    def watched(self: Any, info: dict[str, list]) -> None:
        seen.append(info['priority'])
        update(self, info)

    monkeypatch.setattr(kind, 'update', watched)
    serial_pipeline((main_config, create_config), seed=0, max_train_iter=4)
    assert len(seen) == 4 and all(len(priority) == 4 and min(priority) > 0. for priority in seen)


@pytest.mark.unittest
def test_same_seed_trains_the_same_weights_on_two_threads() -> None:
    weights = []
    for name in ('one', 'other'):
        main_config, create_config = _configs('batched', EPISODES, name)
        main_config.policy.learn.n_threads = 2
        serial_pipeline((main_config, create_config), seed=3, max_train_iter=6)
        weights.append(torch.load(f'{name}/ckpt/iteration_6.pth.tar', weights_only=True)['model'])
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
