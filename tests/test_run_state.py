"""The state of a run beside its checkpoint: whose it is, what is restored, and what a resumed run says without it."""
import gc
import io
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from easydict import EasyDict

from ding_qmix import run_state
from ding_qmix.run_state import LoadRunStateHook, SaveRunStateHook, join_run, load_run_state

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
    """No part of an earlier run, and the global generators as before in the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_state, '_PARTS', {})
    before = run_state.run_state('none')
    yield
    load_run_state('none', before)


def _through_a_file(state):
    """Tensors and plain Python values only."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


class Engine:
    """What the hooks use of DI-engine's learner."""

    def __init__(self, exp_name, train_iter, checkpoint='', resume_training=True, rank=0):
        learn = EasyDict(resume_training=resume_training, learner=dict(hook=dict(load_ckpt_before_run=checkpoint)))
        self.policy = SimpleNamespace(get_attribute=lambda name: EasyDict(learn=learn))
        self.exp_name, self.train_iter, self.rank, self.instance_name = exp_name, train_iter, rank, 'learner'
        self.said = []
        self.info = self.said.append


def _save_hook():
    return SaveRunStateHook('save', 30, position='after_run', ext_args={})


def _load_hook():
    return LoadRunStateHook('load', 30, position='before_run', ext_args={})


@pytest.mark.unittest
def test_parts_of_a_run_are_restored_by_name():
    parts = [Counter(1), Counter(2), Counter(9)]
    for exp_name, name, part in zip(('a', 'a', 'b'), ('x', 'y', 'x'), parts):
        join_run(exp_name, name, part)
    state = _through_a_file(run_state.run_state('a'))
    for part in parts:
        part.value = 0
    load_run_state('a', state)
    assert [part.value for part in parts] == [1, 2, 0]


@pytest.mark.unittest
@pytest.mark.parametrize('draw', GLOBAL_DRAWS, ids=['torch', 'numpy', 'random'])
def test_global_generators_go_on_draw_for_draw(draw):
    draw()  # Python's keeps every second normal number for later
    state = _through_a_file(run_state.run_state('a'))
    expected = draw()
    load_run_state('a', state)
    assert draw() == expected


@pytest.mark.unittest
def test_part_that_is_gone_has_no_state():
    kept, gone = Counter(1), Counter(2)
    join_run('a', 'kept', kept)
    join_run('a', 'gone', gone)
    del gone
    gc.collect()
    assert set(run_state.run_state('a')['parts']) == {'kept'}


@pytest.mark.unittest
def test_run_of_other_parts_is_refused_with_both_lists():
    part, other = Counter(1), Counter(2)
    join_run('a', 'buffer', part)
    join_run('b', 'collector', other)
    with pytest.raises(ValueError, match=r"run b: saved with parts \['buffer'\], now it has \['collector'\]"):
        load_run_state('b', run_state.run_state('a'))


@pytest.mark.unittest
def test_hooks_carry_a_run_over(tmp_path):
    (tmp_path / 'a' / 'ckpt').mkdir(parents=True)
    part, other = Counter(5), Counter(0)
    join_run('a', 'part', part)
    _save_hook()(Engine('a', train_iter=7))
    join_run('b', 'part', other)
    engine = Engine('b', train_iter=7, checkpoint='a/ckpt/iteration_7.pth.tar')
    _load_hook()(engine)
    assert other.value == 5 and 'load run state' in engine.said[0]


@pytest.mark.unittest
@pytest.mark.parametrize('saved_at', [None, 6])
def test_resumed_run_says_when_the_run_state_is_missing_or_of_another_time(tmp_path, saved_at):
    (tmp_path / 'a' / 'ckpt').mkdir(parents=True)
    part = Counter(5)
    join_run('a', 'part', part)
    if saved_at is not None:
        _save_hook()(Engine('a', train_iter=saved_at))
    part.value = 8
    engine = Engine('a', train_iter=7, checkpoint='a/ckpt/iteration_7.pth.tar')
    _load_hook()(engine)
    assert part.value == 8 and f'found: {saved_at}' in engine.said[0] and 'start anew' in engine.said[0]


@pytest.mark.unittest
@pytest.mark.parametrize('resume_training, checkpoint', [(False, 'a/ckpt/iteration_7.pth.tar'), (True, '')])
def test_run_that_does_not_resume_reads_nothing(resume_training, checkpoint):
    engine = Engine('a', train_iter=0, checkpoint=checkpoint, resume_training=resume_training)
    _load_hook()(engine)
    assert engine.said == []


@pytest.mark.unittest
@pytest.mark.parametrize('rank, has_parts', [(1, True), (0, False)])
def test_nothing_is_saved_by_other_ranks_or_without_parts(rank, has_parts):
    part = Counter(1)
    if has_parts:
        join_run('a', 'part', part)
    engine = Engine('a', train_iter=7, rank=rank)
    _save_hook()(engine)  # would fail: there is no folder to save into
    assert engine.said == []
