"""The processes of ``learning.py``: so many at a time, with progress and time to go."""
import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

from learning_configs import RunSpec, evaluations_path
from learning_run import read_evaluations

_PROGRESS_SECONDS = 60.


class _Job(NamedTuple):
    """A run that is on its way."""
    spec: RunSpec
    process: subprocess.Popen
    log: str


def run_all(specs: list[RunSpec], out: str, work: str, n_jobs: int) -> list[str]:
    """
    Overview:
        Do runs, ``n_jobs`` at a time. On Ctrl-C they stop between two updates and are saved, to go on another time.
    Returns:
        - failed: names of the runs that ended without a result
    """
    os.makedirs(work, exist_ok=True)
    progress = Progress(specs, work)
    waiting, failed = list(specs), []
    running: list[_Job] = []
    try:
        while waiting or running:
            while waiting and len(running) < n_jobs:
                running.append(_start(waiting.pop(0), out, work))
            time.sleep(0.5)
            for job in [job for job in running if job.process.poll() is not None]:
                running.remove(job)
                failed += [job.spec.name] if _ended(job) else []
            progress.show([job.spec.name for job in running])
    except KeyboardInterrupt:
        sys.stdout.write('stopping: each run saves what it has\n')
        for job in running:
            job.process.wait()
        failed += [job.spec.name for job in running]
    return failed


class Progress:
    """
    Overview:
        Says now and then how far the runs are, and how long they will take at the pace since the start.
    Interfaces:
        ``show``, ``line``
    """

    def __init__(self, specs: list[RunSpec], work: str) -> None:
        self._specs, self._work = specs, work
        self._start = self._last = time.monotonic()
        self._n_start = sum(map(self._env_steps, specs))

    def show(self, running: list[str]) -> None:
        """Write a line, if it is time to."""
        if time.monotonic() - self._last >= _PROGRESS_SECONDS:
            self._last = time.monotonic()
            sys.stdout.write(self.line(running, self._last - self._start) + '\n')
            sys.stdout.flush()

    def line(self, running: list[str], seconds: float) -> str:
        """Return what ``show`` writes, [s] after the start."""
        n_all = sum(spec.env_step for spec in self._specs)
        steps = {spec.name: self._env_steps(spec) for spec in self._specs}
        n_done = sum(steps.values())
        pace = (n_done - self._n_start) / seconds  # [env steps/s]
        to_go = _clock((n_all - n_done) / pace) if pace > 0. else 'unknown'
        now = ', '.join(f'{name} at {steps[name]:,}' for name in running)
        return f'{n_done:,} of {n_all:,} env steps ({n_done / n_all:.0%}), {pace:,.0f} per s, to go {to_go} | {now}'

    def _env_steps(self, spec: RunSpec) -> int:
        """[env steps] of a run until its latest evaluation; all of them if it has ended."""
        path = evaluations_path(self._work, spec.name)
        rows = read_evaluations(path) if os.path.exists(path) else []
        n_steps = rows[-1]['env_step'] if rows else 0
        return spec.env_step if n_steps + spec.eval_env_steps >= spec.env_step else n_steps


def _start(spec: RunSpec, out: str, work: str) -> _Job:
    """Begin a run in a process of its own, with its threads."""
    sys.stdout.write(f'{spec.name}: begins\n')
    sys.stdout.flush()
    log = os.path.join(work, f'{spec.name}.log')
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'learning_run.py')
    result = os.path.abspath(os.path.join(out, f'{spec.name}.json'))
    threads = {f'{library}_NUM_THREADS': str(spec.n_threads) for library in ('OMP', 'MKL', 'OPENBLAS', 'NUMBA')}
    with open(log, 'ab') as file:
        process = subprocess.Popen(
            [sys.executable, script, json.dumps(spec._asdict()), result],
            cwd=work,
            stdout=file,
            stderr=file,
            env={
                **os.environ, 'PYTHONPATH': os.pathsep.join(_module_folders()),
                **threads
            }
        )
    return _Job(spec, process, log)


def _module_folders() -> list[str]:
    """Folders that this process imports from, absolute, for one that runs elsewhere."""
    return [os.path.abspath(folder) for folder in sys.path if folder]


def _ended(job: _Job) -> bool:
    """Say how a run ended; return whether that was without a result."""
    failed = job.process.returncode != 0
    if failed:
        with open(job.log, encoding='utf-8', errors='replace') as file:
            lines = file.readlines()[-10:]
        sys.stdout.write(f'{job.spec.name}: exit code {job.process.returncode}, end of {job.log}:\n{"".join(lines)}')
    else:
        sys.stdout.write(f'{job.spec.name}: done\n')
    sys.stdout.flush()
    return failed


def _clock(seconds: float) -> str:
    """5025. -> '1:23:45'"""
    minutes, seconds = divmod(int(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'
