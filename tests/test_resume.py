"""A run that was killed goes on from its newest whole save; torn and damaged files are told and passed over."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ding.entry import serial_pipeline

from ding_qmix.config import make_config
from ding_qmix.run_state import newest_save, use_whole_checkpoints, write_whole
from ding_qmix.run_state.run import RunState
from ding_qmix.run_state.saves import RunSaves


class Log:
    """A part of a run that is saved in segments; its samples are their ids."""

    def __init__(self):
        self.sample_ids, self.samples, self.envstep = range(0), {}, 0

    def push_until(self, stop, n_kept=10):
        self.samples.update((i, i) for i in range(self.sample_ids.stop, stop))
        self.sample_ids, self.envstep = range(max(0, stop - n_kept), stop), 10 * stop

    def index_state_dict(self):
        return {'ids': [self.sample_ids.start, self.sample_ids.stop], 'envstep': self.envstep}

    state_dict = index_state_dict

    def load_state_dict(self, state_dict):
        self.sample_ids, self.samples, self.envstep = range(*state_dict['ids']), {}, state_dict['envstep']

    def samples_state_dict(self, ids):
        return {'samples': [self.samples[i] for i in ids]}

    def load_samples(self, ids, state_dict):
        self.samples.update((i, s) for i, s in zip(ids, state_dict['samples']) if i in self.sample_ids)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **kwargs: (text, False))  # takes seconds


def _saved(*stops):
    """Saves of a run whose log had pushed so many samples each time; the run's log lives as long as the last entry."""
    log, run, saves = Log(), RunState(), RunSaves('saves')
    run.join('log', log)
    for stop in stops:
        log.push_until(stop)
        saves.write(run, {'last_iter': stop}, train_iter=stop)
    return saves, log, run


def _restored(save):
    log, run = Log(), RunState()
    run.join('log', log)
    RunSaves('saves').restore(run, save)
    return log


def _segments(save):
    return [(s.first, s.stop) for s in save.segments['log']]


@pytest.mark.unittest
def test_save_restores_all_samples_that_have_not_left():
    saves, *_run = _saved(4, 8, 13)
    restored = _restored(saves.find(pytest.fail))
    assert restored.samples == {i: i for i in range(3, 13)} and restored.envstep == 130


@pytest.mark.unittest
def test_save_writes_only_what_is_new_and_leaves_out_what_has_left():
    saves, *_run = _saved(4, 8, 19)
    assert _segments(saves.find(pytest.fail)) == [(9, 19)]
    saves, *_run = _saved(4, 8, 13)
    assert _segments(saves.find(pytest.fail)) == [(0, 4), (4, 8), (8, 13)]


@pytest.mark.unittest
def test_only_the_files_of_the_newest_two_saves_stay():
    _saved(4, 20, 40, 60)
    assert sorted(os.listdir('saves')) == sorted(
        f'{name}_{i}.{end}' for i in (3, 4) for name, end in
        (('save', 'json'), ('state', 'pth.tar'), ('checkpoint', 'pth.tar'), ('samples_log', 'pth.tar'))
    )


@pytest.mark.unittest
@pytest.mark.parametrize('file', ['save_2.json', 'state_2.pth.tar', 'checkpoint_2.pth.tar', 'samples_log_2.pth.tar'])
@pytest.mark.parametrize('damage', ['torn', 'flipped', 'gone'])
def test_damaged_save_is_named_and_the_older_one_taken(file, damage):
    _saved(4, 8)
    path, said = Path('saves') / file, []
    content = path.read_bytes()
    if damage == 'gone' and file != 'save_2.json':
        path.unlink()
    elif damage == 'flipped' and file != 'save_2.json':
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    else:
        path.write_bytes(content[:-5])
    save = RunSaves('saves').find(said.append)
    assert save.train_iter == 4 and len(said) == 1 and file in said[0]


@pytest.mark.unittest
def test_saves_after_a_damaged_one_build_on_the_older_one():
    _saves, log, run = _saved(4, 8)
    Path('saves/state_2.pth.tar').write_bytes(b'')
    saves = RunSaves('saves')
    saves.go_on_from(saves.find(lambda line: None))
    log.push_until(9)
    saves.write(run, {}, train_iter=9)
    assert _segments(saves.find(pytest.fail)) == [(0, 4), (4, 9)] and saves.numbers == [3, 1]


@pytest.mark.unittest
def test_write_that_fails_leaves_the_old_file(monkeypatch):
    write_whole('file', b'old')
    monkeypatch.setattr(os, 'fsync', lambda number: (_ for _ in ()).throw(OSError('disk full')))
    with pytest.raises(OSError, match='disk full'):
        write_whole('file', b'new')
    assert Path('file').read_bytes() == b'old'


@pytest.mark.unittest
def test_short_keys_of_dings_checkpoint_hooks_get_whole_files():
    hooks = dict(save_ckpt_after_iter=50, save_ckpt_after_run=True, log_show_after_iter=100)
    use_whole_checkpoints(hooks)
    assert hooks['save_ckpt_after_iter']['ext_args'] == {'freq': 50} and hooks['log_show_after_iter'] == 100
    assert {hooks[f'save_ckpt_after_{name}']['type'] for name in ('iter', 'run')} == {'ding_qmix_save_ckpt'}


# ------------------------------------------------------------------ pipeline


def _configs(exp_name, map_name='3m', **learn):
    return make_config(
        map_name,
        exp_name=exp_name,
        env=dict(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=3),
        policy=dict(
            model=dict(hidden_size_list=[8]),
            learn=dict(update_per_collect=2, batch_size=4, target_update_freq=3, n_threads=1, **learn),
            collect=dict(n_episode=4),
            eval=dict(evaluator=dict(eval_env_step_freq=20)),
            other=dict(replay_buffer=dict(replay_buffer_size=10)),
        ),
    )


def _rows(exp_name):
    return Path(exp_name, 'log/evaluator/evaluations.csv').read_text('utf-8').splitlines()[1:]


@pytest.mark.unittest
def test_run_resumes_in_its_folder_from_its_newest_save(scripted):
    straight = serial_pipeline(_configs('straight', save_run_env_steps=1), seed=0, max_train_iter=12)
    serial_pipeline(_configs('run', save_run_env_steps=1), seed=0, max_train_iter=6)
    n_rows = len(_rows('run'))
    configs = _configs('run', save_run_env_steps=1, resume_training=True, resume_from='run')
    resumed = serial_pipeline(configs, seed=5, max_train_iter=12)
    states = [policy.learn_mode.state_dict()['model'] for policy in (straight, resumed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    steps = [[int(row.split(',')[0]) for row in _rows(name)] for name in ('straight', 'run')]
    assert steps[0] == steps[1] and len(steps[1]) > n_rows


@pytest.mark.unittest
def test_save_of_another_map_is_refused_by_name(scripted):
    serial_pipeline(_configs('run'), seed=0, max_train_iter=2)
    with pytest.raises(ValueError, match="saved on map '3m', but this run plays '8m'"):
        serial_pipeline(_configs('other', '8m', resume_from='run'), seed=0, max_train_iter=4)


@pytest.mark.unittest
def test_checkpoint_of_another_size_is_refused_by_name(scripted):
    serial_pipeline(_configs('run'), seed=0, max_train_iter=2)
    learner = dict(hook=dict(load_ckpt_before_run='run/ckpt/iteration_2.pth.tar'))
    with pytest.raises(ValueError, match=r'checkpoint of another map or of other sizes: .*here: '):
        serial_pipeline(_configs('other', '8m', learner=learner), seed=0, max_train_iter=4)


@pytest.mark.unittest
def test_run_of_an_absolute_name_ends_with_all_its_files(scripted, tmp_path):
    serial_pipeline(_configs(str(tmp_path / 'far' / 'run')), seed=0, max_train_iter=2)
    for file in ('ckpt/iteration_2.pth.tar', 'result.pkl', 'log/evaluator/evaluations.csv', 'log/learner'):
        assert (tmp_path / 'far' / 'run' / file).exists()
    assert newest_save(str(tmp_path / 'far' / 'run')).train_iter == 2


@pytest.mark.unittest
@pytest.mark.parametrize(
    'learn, error, message', [
        (dict(resume_training=True), ValueError, 'resume_training: True, but nothing says what to resume'),
        (dict(resume_from='nowhere'), FileNotFoundError, "there is no folder 'nowhere'"),
        (dict(save_run_seconds=-1.), ValueError, r'policy\.learn\.save_run_seconds: -1\.0, expected a number in \[0, '),
    ]
)
def test_resume_that_cannot_be_meant_is_refused(scripted, learn, error, message):
    with pytest.raises(error, match=message):
        serial_pipeline(_configs('run', **learn), seed=0, max_train_iter=2)


@pytest.mark.unittest
def test_resumed_run_keeps_the_best_checkpoint_of_a_later_time(scripted):
    serial_pipeline(_configs('run'), seed=0, max_train_iter=2)
    Path('run/ckpt/ckpt_best.json').write_text('{"win_rate": 2.0}', 'utf-8')  # better than any
    best = Path('run/ckpt/ckpt_best.pth.tar').read_bytes()
    serial_pipeline(_configs('run', resume_training=True, resume_from='run'), seed=0, max_train_iter=12)
    assert Path('run/ckpt/ckpt_best.pth.tar').read_bytes() == best


@pytest.mark.unittest
def test_run_killed_at_thirty_random_moments_ends_as_the_undisturbed_one(repo):
    command = [sys.executable, str(repo / 'entry/benchmark/kills.py'), '--kills', '30']
    env = {**os.environ, 'PYTHONPATH': str(repo)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=1200)  # so that a hang is told
    assert done.returncode == 0, done.stdout + done.stderr
    assert '30 kills in' in done.stdout and 'same bits' in done.stdout
    for phase in ('collection', 'update', 'evaluation', 'saving'):
        assert f'{phase}: ' in done.stdout
