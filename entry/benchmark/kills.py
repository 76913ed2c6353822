"""
Train a tiny QMIX on 3m once undisturbed and once killed with SIGKILL at random moments and resumed each time, and
compare the final checkpoints bit for bit:

    python entry/benchmark/kills.py --kills 20
"""
import argparse
import os
import random
import signal
import sys
import tempfile
import time
from typing import Optional

import torch
from yapf.yapflib import yapf_api

from ding_qmix.config import make_config
from ding_qmix.run_state import newest_save
from ding_qmix.utils.quiet_import import quiet_import

with quiet_import():
    from ding.entry import serial_pipeline


def main(args: Optional[list[str]] = None) -> None:
    """Kill, resume, compare; exit status 1 where the runs differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--env-step', type=int, default=6000, help='[env steps] of a run')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        startup, training = _train_undisturbed('straight', given.env_step)
        moments, n_kills, n_resumed = random.Random(given.seed), 0, 0
        names: list[str] = []
        while n_kills < given.kills:
            names.append(f'killed{len(names)}')
            more = _train_killed(names[-1], given, moments, given.kills - n_kills, (startup, training))
            n_kills, n_resumed = n_kills + more[0], n_resumed + more[1]
        same = all(_same_weights('straight', name) for name in names)
        print(f'{n_kills} kills in {len(names)} runs, {n_resumed} times resumed from a save')
        print(f'undisturbed: {startup:.1f} s until the first save, {training:.1f} s from there')
        print(f'final weights, target network and optimiser: {"same bits" if same else "DIFFERENT"}')
        os.chdir('/')
    sys.exit(0 if same else 1)


def _train_undisturbed(exp_name: str, env_step: int) -> tuple[float, float]:
    """Train to the end; return the time until the first save and from there to the end, [s]."""
    start = time.perf_counter()
    process = _start(exp_name, env_step)
    while newest_save(exp_name) is None:
        time.sleep(0.05)
    first = time.perf_counter()
    _wait(process)
    return first - start, time.perf_counter() - first


def _train_killed(
        exp_name: str, given: argparse.Namespace, moments: random.Random, most: int, durations: tuple[float, float]
) -> tuple[int, int]:
    """Train to the end with kills on the way; return how many there were, and how often a save was there after one."""
    (startup, training), n_kills, n_resumed = durations, 0, 0
    while not _is_finished(exp_name, given.env_step):
        process = _start(exp_name, given.env_step)
        if n_kills == most:
            _wait(process)
            continue
        early = moments.random() < 0.2  # while the run starts or is read back; else while it trains
        later = startup + moments.uniform(0., training / 2.)
        time.sleep(moments.uniform(0., startup) if early else later)
        os.kill(process, signal.SIGKILL)
        status = os.waitpid(process, 0)[1]
        if os.WIFEXITED(status) and status != 0:
            sys.exit(f'a run failed with status {status}')
        if os.WIFSIGNALED(status):
            n_kills += 1
            n_resumed += newest_save(exp_name) is not None
    return n_kills, n_resumed


def _start(exp_name: str, env_step: int) -> int:
    """Train in a process of its own, from the newest save if there is one; return its id."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            log = os.open(f'{exp_name}.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            _train(exp_name, env_step)
            status = 0
        finally:
            os._exit(status)
    return process


def _wait(process: int) -> None:
    status = os.waitpid(process, 0)[1]
    if status != 0:
        sys.exit(f'a run failed with status {status}')


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
