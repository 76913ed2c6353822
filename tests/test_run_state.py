"""The state of a run beside its checkpoint: whose it is, what is restored, and what a resumed run says without it."""
import gc
import io
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from easydict import EasyDict

from ding_qmix.run_state import LoadRunStateHook, RunFiles, RunState, SaveRunStateHook

GLOBAL_DRAWS = (
    lambda: torch.rand(3).tolist(),
    lambda: np.random.random(3).tolist(),  # noqa: NPY002 the global one, which DI-engine draws from
    lambda: [random.random(), random.gauss(0, 1)],
)


class Counter:
    """A part of a run."""

    def __init__(self, value=0):
        self.value = value

    def state_dict(self):
        return {'value': self.value}

    def load_state_dict(self, state_dict):
        self.value = state_dict['value']


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """And the global generators as before in the end."""
    monkeypatch.chdir(tmp_path)
    before = RunState().state_dict()
    yield
    RunState().load_state_dict(before)


def _through_a_file(state):
    """Tensors and plain Python values only."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


class Writer:
    """A TensorBoard writer, of which a run takes nothing but that it is one object."""


class Engine:
    """What the hooks use of DI-engine's learner."""

    def __init__(self, exp_name, writer, train_iter, checkpoint='', resume_training=True, rank=0, save=True):
        hook = dict(load_ckpt_before_run=checkpoint)
        learn = EasyDict(
            save_run_state=save,
            resume_training=resume_training,
            resume_from='',
            save_run_seconds=300.,
            save_run_env_steps=0,
            learner=dict(hook=hook)
        )
        self.policy = SimpleNamespace(run_files=RunFiles.from_config(learn), state_dict=dict)
        self.last_iter, self.collector_envstep = SimpleNamespace(val=train_iter), 0
        self.exp_name, self.train_iter, self.rank, self.instance_name = exp_name, train_iter, rank, 'learner'
        self.tb_logger = writer
        self.said = []
        self.info = self.said.append


def _run(**parts):
    """A writer whose run has the given parts."""
    writer = Writer()
    for name, part in parts.items():
        RunState.of(writer).join(name, part)
    return writer


def _save_hook():
    return SaveRunStateHook('save', 30, position='after_run', ext_args={})


def _load_hook():
    return LoadRunStateHook('load', 30, position='before_run', ext_args={})


@pytest.mark.unittest
def test_parts_of_a_run_are_restored_by_name():
    parts = [Counter(1), Counter(2)]
    run = RunState.of(_run(x=parts[0], y=parts[1]))
    state = _through_a_file(run.state_dict())
    for part in parts:
        part.value = 0
    run.load_state_dict(state)
    assert [part.value for part in parts] == [1, 2]


@pytest.mark.unittest
@pytest.mark.parametrize('draw', GLOBAL_DRAWS, ids=['torch', 'numpy', 'random'])
def test_global_generators_go_on_draw_for_draw(draw):
    draw()  # Python's keeps every second normal number for later
    state = _through_a_file(RunState().state_dict())
    expected = draw()
    RunState().load_state_dict(state)
    assert draw() == expected


@pytest.mark.unittest
def test_parts_with_one_writer_are_one_run():
    parts, writer = [Counter(1), Counter(2)], Writer()
    for name, part in zip('xy', parts):
        RunState.of(writer).join(name, part)
    assert RunState.of(writer).part_names == ['x', 'y']


@pytest.mark.unittest
def test_runs_side_by_side_do_not_mix():
    one, other = Writer(), Writer()
    parts = {}
    for name in ('buffer', 'collector'):  # interleaved, under the same names
        for i, writer in enumerate((one, other)):
            parts[i, name] = Counter(i)
            RunState.of(writer).join(name, parts[i, name])
    state = _through_a_file(RunState.of(one).state_dict())
    for part in parts.values():
        part.value += 10
    RunState.of(one).load_state_dict(state)
    assert {key: part.value for key, part in parts.items()} == {key: (0, 11)[key[0]] for key in parts}


@pytest.mark.unittest
def test_runs_one_after_another_do_not_mix():
    first, second = Counter(1), Counter(2)  # the first run's collector still lives when the second begins
    _run(collector=first)
    assert RunState.of(_run(buffer=second)).part_names == ['buffer']


@pytest.mark.unittest
def test_part_without_a_writer_belongs_to_no_run():
    part = Counter(1)
    RunState.of(None).join('x', part)
    assert RunState.of(None).part_names == []


@pytest.mark.unittest
def test_part_that_is_gone_has_no_state():
    kept, gone = Counter(1), Counter(2)
    run = RunState.of(_run(kept=kept, gone=gone))
    del gone
    gc.collect()
    assert set(run.state_dict()['parts']) == {'kept'}


@pytest.mark.unittest
def test_run_of_other_parts_is_refused_with_both_lists():
    part, other = Counter(1), Counter(2)
    state = RunState.of(_run(buffer=part)).state_dict()
    with pytest.raises(ValueError,
                       match=r"saved with parts \['buffer'\], now the run has \['collector'\]; resume with"):
        RunState.of(_run(collector=other)).load_state_dict(state)


@pytest.mark.unittest
def test_hooks_carry_a_run_over(tmp_path):
    (tmp_path / 'a' / 'ckpt').mkdir(parents=True)
    part, other = Counter(5), Counter(0)
    _save_hook()(Engine('a', _run(part=part), train_iter=7))
    engine = Engine('b', _run(part=other), train_iter=7, checkpoint='a/ckpt/iteration_7.pth.tar')
    _load_hook()(engine)
    assert other.value == 5 and 'load run state' in engine.said[0]


@pytest.mark.unittest
@pytest.mark.parametrize('saved_at', [None, 6])
def test_resumed_run_says_when_the_run_state_is_missing_or_of_another_time(tmp_path, saved_at):
    (tmp_path / 'a' / 'ckpt').mkdir(parents=True)
    part = Counter(5)
    writer = _run(part=part)
    if saved_at is not None:
        _save_hook()(Engine('a', writer, train_iter=saved_at))
    part.value = 8
    engine = Engine('a', writer, train_iter=7, checkpoint='a/ckpt/iteration_7.pth.tar')
    _load_hook()(engine)
    assert part.value == 8 and f'found: {saved_at}' in engine.said[0] and 'start anew' in engine.said[0]


@pytest.mark.unittest
@pytest.mark.parametrize('resume_training, checkpoint', [(False, 'a/ckpt/iteration_7.pth.tar'), (True, '')])
def test_run_that_does_not_resume_reads_nothing(resume_training, checkpoint):
    engine = Engine('a', Writer(), train_iter=0, checkpoint=checkpoint, resume_training=resume_training)
    _load_hook()(engine)
    assert engine.said == []


@pytest.mark.unittest
@pytest.mark.parametrize('rank, has_parts, save', [(1, True, True), (0, False, True), (0, True, False)])
def test_nothing_is_saved_by_other_ranks_or_without_parts_or_when_switched_off(rank, has_parts, save):
    part = Counter(1)
    writer = _run(part=part) if has_parts else Writer()
    engine = Engine('a', writer, train_iter=7, rank=rank, save=save)
    _save_hook()(engine)  # would fail: there is no folder to save into
    assert engine.said == []


@pytest.mark.unittest
def test_other_ranks_resume_without_the_run_state_of_rank_0_and_say_so(tmp_path):
    (tmp_path / 'a' / 'ckpt').mkdir(parents=True)
    part, other = Counter(5), Counter(0)
    _save_hook()(Engine('a', _run(part=part), train_iter=7))
    engine = Engine('a', None, train_iter=7, checkpoint='a/ckpt/iteration_7.pth.tar', rank=1)
    RunState.of(None).join('part', other)
    _load_hook()(engine)
    assert other.value == 0 and 'on rank 1' in engine.said[0] and 'start anew' in engine.said[0]
