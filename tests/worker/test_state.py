"""Collector, evaluator and rollout restore: the next call is the one that would have come."""
import gc
import io

import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, ClockActor, End, FakeManager, FakeVecEnv, FakeWriter

from ding_qmix.policy import QMIXPolicy
from ding_qmix.run_state import RunState
from ding_qmix.worker import EpisodeBuffer, VectorCollector, WinRateEvaluator
from ding_qmix.worker.rollout import Rollout

SCRIPT = (
    (End('win', 2), End('loss', 5)),
    (End('timeout', 9), End('win', 1)),
    (End('loss', 3), End('win', 4)),
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _through_a_file(state_dict):
    """Tensors and plain Python values only."""
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def _policy():
    torch.manual_seed(0)
    return QMIXPolicy(EasyDict(deep_merge_dicts(QMIXPolicy.default_config(), dict(model=dict(SIZES)))))


def _collector(exp_name, writer=None):
    return VectorCollector(
        EasyDict(VectorCollector.config),
        FakeManager(FakeVecEnv(SCRIPT)),
        _policy().collect_mode,
        tb_logger=writer or FakeWriter(),
        exp_name=exp_name
    )


def _same_samples(one, other):
    return len(one) == len(other) and all(torch.equal(a[name], b[name]) for a, b in zip(one, other) for name in a)


@pytest.mark.unittest
def test_rollout_goes_on_with_the_next_episodes():
    rollout = Rollout(FakeVecEnv(SCRIPT))
    rollout.play(ClockActor(3), 4)
    env = FakeVecEnv(SCRIPT)
    restored = Rollout(env)
    restored.load_state_dict(_through_a_file(rollout.state_dict()))
    stats = [r.play(ClockActor(3), 5) for r in (rollout, restored)]
    assert all((a == b).all() for a, b in zip(*stats)) and env.n_resets.tolist() == [0, 0, 0]


@pytest.mark.unittest
def test_rollout_restored_before_its_first_call_begins_anew():
    rollout, env = Rollout(FakeVecEnv(SCRIPT)), FakeVecEnv(SCRIPT)
    restored = Rollout(env)
    restored.load_state_dict(_through_a_file(rollout.state_dict()))
    assert restored.play(ClockActor(3), 3).length.tolist() == rollout.play(ClockActor(3), 3).length.tolist()


@pytest.mark.unittest
def test_collector_goes_on_with_the_next_samples_and_counts():
    collector, restored = _collector('one'), _collector('other')
    collector.collect(4)
    restored.load_state_dict(_through_a_file(collector.state_dict()))
    assert restored.envstep == collector.envstep
    assert _same_samples(collector.collect(5), restored.collect(5)) and restored.envstep == collector.envstep


@pytest.mark.unittest
def test_evaluator_remembers_its_best_and_when_it_was_due():
    evaluators = [
        WinRateEvaluator(
            EasyDict(n_episode=3, eval_freq=10),
            FakeManager(FakeVecEnv(SCRIPT)),
            _policy().eval_mode,
            tb_logger=FakeWriter(),
            exp_name=name
        ) for name in ('one', 'other')
    ]
    evaluator, restored = evaluators
    evaluator.eval(train_iter=20, envstep=5)  # wins 1 of 3
    restored.load_state_dict(_through_a_file(evaluator.state_dict()))
    saved = []
    assert restored.should_eval(20)  # DI-engine's pipeline ends with an error if it never saw a result
    assert restored.eval(saved.append, train_iter=20, envstep=5) == (False, evaluator._last_info)
    due = [restored.should_eval(29), restored.should_eval(30)]
    _, info = restored.eval(saved.append, train_iter=30, envstep=9)  # 2 of 3
    for e in reversed(evaluators):
        e.close()
    assert due == [False, True] and sorted(info['eval_episode_return']) == [0., 1., 1.]
    assert saved == ['ckpt_best.pth.tar'] and restored.state_dict()['best_win_rate'] == pytest.approx(2 / 3)


@pytest.mark.unittest
def test_evaluation_that_is_due_when_a_run_resumes_is_played():
    evaluator = WinRateEvaluator(
        EasyDict(n_episode=3, eval_freq=10),
        FakeManager(FakeVecEnv(SCRIPT)),
        _policy().eval_mode,
        tb_logger=FakeWriter(),
        exp_name='one'
    )
    evaluator.eval(train_iter=20, envstep=5)
    evaluator.load_state_dict(_through_a_file(evaluator.state_dict()))
    _, info = evaluator.eval(train_iter=30, envstep=9)
    evaluator.close()
    assert sorted(info['eval_episode_return']) == [0., 1., 1.]


# ---------------------------------------------------------------- runs


@pytest.fixture
def make_run():
    """Builds the parts of runs, all under one name, and closes them after the test."""
    made = []

    def make(writer):
        policy = _policy()
        evaluator = WinRateEvaluator(
            EasyDict(), FakeManager(FakeVecEnv(SCRIPT)), policy.eval_mode, tb_logger=writer, exp_name='run'
        )
        buffer = EpisodeBuffer(EasyDict(EpisodeBuffer.config, replay_buffer_size=5), tb_logger=writer, exp_name='run')
        made.append((_collector('run', writer), evaluator, buffer))
        return made[-1]

    yield make
    for collector, evaluator, _ in reversed(made):
        collector.close()
        evaluator.close()


@pytest.mark.unittest
def test_parts_of_a_run_find_each_other_by_their_writer(make_run):
    writer = FakeWriter()
    make_run(writer)
    assert RunState.of(writer).part_names == ['buffer', 'collector', 'evaluator']


@pytest.mark.unittest
def test_runs_of_one_name_in_one_process_do_not_mix(make_run):
    writers = FakeWriter(), FakeWriter()
    (collector, _, buffer), (other_collector, _, other_buffer) = (make_run(writer) for writer in writers)
    state = _through_a_file(RunState.of(writers[0]).state_dict())
    for c, b in ((collector, buffer), (other_collector, other_buffer)):
        b.push(c.collect(3))
    RunState.of(writers[0]).load_state_dict(state)
    assert (collector.envstep, buffer.count()) == (0, 0)
    assert (other_collector.envstep, other_buffer.count()) == (14, 3)


@pytest.mark.unittest
def test_run_keeps_no_part_alive():
    writer = FakeWriter()
    buffer = EpisodeBuffer(EasyDict(EpisodeBuffer.config), tb_logger=writer)
    assert RunState.of(writer).part_names == ['buffer']
    del buffer
    gc.collect()
    assert RunState.of(writer).part_names == []
