"""
Train a tiny QMIX on 3m once undisturbed and then with SIGKILL at random moments of its phases (start, collection,
update, evaluation, saving), resumed each time, and compare the final checkpoints bit for bit:

    python entry/benchmark/kills.py --kills 200
"""
import argparse
import functools
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from typing import NamedTuple, Optional

import torch
from yapf.yapflib import yapf_api

from ding_qmix.config import make_config
from ding_qmix.run_state import newest_save
from ding_qmix.run_state.saves import RunSaves
from ding_qmix.utils.quiet_import import quiet_import
from ding_qmix.worker import VectorCollector, WinRateEvaluator

with quiet_import():
    from ding.entry import serial_pipeline
    from ding.worker import BaseLearner

_START, _BETWEEN = b's', b'.'
_PHASES = {
    b'c': ('collection', VectorCollector, 'collect'),
    b'u': ('update', BaseLearner, 'train'),
    b'e': ('evaluation', WinRateEvaluator, 'eval'),
    b'w': ('saving', RunSaves, 'write'),
}
_NAMES = {_START: 'start', _BETWEEN: 'between', **{mark: phase[0] for mark, phase in _PHASES.items()}}
_MOST_REPEATS = {b'e': 2, b'w': 2}  # of a phase before a kill, so that many kills fit into a run; of others 6


class Moment(NamedTuple):
    """When a training process is killed."""
    phase: bytes
    repeat: int  # in which of the process's phases of this kind, from 1
    share: float  # of the phase's mean duration that passes before


def main(args: Optional[list[str]] = None) -> None:
    """Kill, resume, compare; exit status 1 where the runs differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--env-step', type=int, default=3000, help='[env steps] of a run')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        durations = _train_undisturbed('straight', given.env_step)
        moments, killed_in, n_resumed, names = random.Random(given.seed), Counter[str](), 0, list[str]()
        while sum(killed_in.values()) < given.kills:
            names.append(f'killed{len(names)}')
            n_resumed += _train_killed(names[-1], given, moments, durations, killed_in)
        same = all(_same_weights('straight', name) for name in names)
        print(f'{sum(killed_in.values())} kills in {len(names)} runs, {n_resumed} times resumed from a save')
        print('killed in ' + ', '.join(f'{name}: {n}' for name, n in killed_in.most_common()))
        print(f'final weights, target network and optimiser: {"same bits" if same else "DIFFERENT"}')
        os.chdir('/')
    sys.exit(0 if same else 1)


def _train_undisturbed(exp_name: str, env_step: int) -> dict[bytes, float]:
    """Train to the end; return the mean duration of each phase, [s]."""
    process, marks = _start(exp_name, env_step)
    totals, repeats = Counter[bytes](), Counter[bytes]()
    phase, since = _START, time.perf_counter()
    while mark := os.read(marks, 1):
        now = time.perf_counter()
        totals[phase] += now - since  # type: ignore[assignment] # Counter says int, adds any number
        repeats[phase] += 1
        phase, since = mark, now
    os.close(marks)
    _wait(process, exp_name)
    return {phase: totals[phase] / repeats[phase] for phase in totals}


def _train_killed(
        exp_name: str, given: argparse.Namespace, moments: random.Random, durations: dict[bytes, float],
        killed_in: 'Counter[str]'
) -> int:
    """Train to the end with kills on the way, counted by phase; return how often a save was there after one."""
    n_resumed = 0
    while not _is_finished(exp_name, given.env_step):
        process, marks = _start(exp_name, given.env_step)
        phase = _START
        if sum(killed_in.values()) < given.kills:
            phase = moments.choice(list(durations))
            moment = Moment(phase, moments.randint(1, _MOST_REPEATS.get(phase, 6)), moments.random())
            phase = _follow(marks, moment, durations)
            os.kill(process, signal.SIGKILL)
        while mark := os.read(marks, 1):  # what the process came to do before its end
            phase = mark
        os.close(marks)
        if os.WIFSIGNALED(_wait(process, exp_name)):
            killed_in[_NAMES[phase]] += 1
            n_resumed += newest_save(exp_name) is not None
    return n_resumed


def _follow(marks: int, moment: Moment, durations: dict[bytes, float]) -> bytes:
    """Read a process's marks up to the moment, or to its end; return the latest mark."""
    phase, repeats = _START, Counter({_START: moment.repeat})  # a process starts once
    while repeats[moment.phase] < moment.repeat:
        mark = os.read(marks, 1)
        if not mark:
            return phase
        phase = mark
        repeats[phase] += 1
    time.sleep(moment.share * durations[phase])
    return phase


def _start(exp_name: str, env_step: int) -> tuple[int, int]:
    """Train in a process of its own, from the newest save if there is one; return its id and the pipe of its marks."""
    marks, told = os.pipe()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.close(marks)
            log = os.open(f'{exp_name}.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            _tell_phases(told)
            _train(exp_name, env_step)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(told)
    return process, marks


def _wait(process: int, exp_name: str) -> int:
    status = os.waitpid(process, 0)[1]
    if status not in (0, signal.SIGKILL):
        with open(f'{exp_name}.log', encoding='utf-8') as log:
            sys.exit(f'run {exp_name} failed with status {status}; the end of its log:\n{log.read()[-3000:]}')
    return status


def _tell_phases(told: int) -> None:
    """Each phase writes its mark where it begins, and where it ends the mark of the phase around it."""
    around = [_BETWEEN]

    def wrap(mark: bytes, method):

        @functools.wraps(method)
        def marked(*args, **kwargs):
            os.write(told, mark)
            around.append(mark)
            result = method(*args, **kwargs)
            around.pop()
            os.write(told, around[-1])
            return result

        return marked

    for mark, (_name, owner, name) in _PHASES.items():
        setattr(owner, name, wrap(mark, getattr(owner, name)))


def _train(exp_name: str, env_step: int) -> None:
    # DI-engine formats the config that it writes with yapf, which takes longer than the run here.
    yapf_api.FormatCode = lambda text, **kwargs: (text, False)
    resume = dict(resume_training=True, resume_from=exp_name) if os.path.isdir(exp_name) else {}
    learn = dict(update_per_collect=2, batch_size=4, target_update_freq=3, n_threads=1, save_run_env_steps=200)
    configs = make_config(
        '3m',
        exp_name=exp_name,
        env=dict(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=3),
        policy=dict(
            model=dict(hidden_size_list=[8]),
            learn=dict(**learn, **resume),
            collect=dict(n_episode=4),
            eval=dict(evaluator=dict(eval_env_step_freq=500)),
            other=dict(replay_buffer=dict(replay_buffer_size=50)),
        ),
    )
    serial_pipeline(configs, seed=0, max_env_step=env_step)


def _is_finished(exp_name: str, env_step: int) -> bool:
    save = newest_save(exp_name)
    return save is not None and save.env_step >= env_step


def _same_weights(*exp_names: str) -> bool:
    one, other = (
        torch.load(os.path.join(exp_name, 'ckpt', 'run_state', save.checkpoint), weights_only=True)
        for exp_name in exp_names if (save := newest_save(exp_name)) is not None
    )
    return _same(one, other)


def _same(one: object, other: object) -> bool:
    """Nested dicts and lists are equal down to the last bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    return one == other


if __name__ == '__main__':
    main()
