"""
Measure the simulator's speed: random legal actions, everything included (physics, obs, state, mask, reward, resets).

    python entry/benchmark/sim.py --doc docs/simulator.md

Every case is warmed up, then measured several times in turn with the other cases of its map; medians are reported.
"""
import argparse
import os
import statistics
import sys
import time
import tracemalloc
from typing import Any, NamedTuple, Optional

import numpy as np

from ding_qmix.baselines.scripted import draw_legal
from ding_qmix.sim import SIM_VERSION, SimVecEnv
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.step import SHOW
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.utils.report import describe_run, markdown_table, source_line, update_block, write_json

SPREAD = 40  # [env steps] over which the envs' first episodes are put out of phase; a random battle lasts about that
MEMORY_BATCHES = (64, 256, 1024)  # [envs]


class Pace(NamedTuple):
    """One measurement."""
    rate: float  # [env steps per second], all included
    draw_share: float  # [fraction] of the time spent on drawing random legal actions
    show_share: float  # [fraction] that obs, state and action mask take, measured on their own


class _Case:
    """A batch of battles under way, with its generator of actions."""

    def __init__(self, map_name: str, n_envs: int, n_threads: int) -> None:
        self.env = SimVecEnv(map_name, n_envs, seed=0, n_threads=n_threads)
        self._rng = np.array([seed_state(10 ** 6 + e) for e in range(n_envs)], dtype=np.uint64)
        self._actions = np.zeros((n_envs, self.env.spec.n_agents), dtype=np.int64)
        self._step = self.env.reset()
        offsets = np.random.default_rng(0).integers(0, SPREAD, n_envs)
        for k in range(SPREAD):
            self._play(offsets >= k)

    def measure(self, seconds: float) -> Pace:
        """Play for about this long."""
        n_steps, draw_time, start = 0, 0., time.perf_counter()
        while time.perf_counter() - start < seconds:
            for _ in range(4):
                before = time.perf_counter()
                draw_legal(self._step.action_mask, self._rng, self._actions)
                draw_time += time.perf_counter() - before
                self._step = self.env.step(self._actions)
                n_steps += 1
        elapsed = time.perf_counter() - start
        return Pace(n_steps * self.env.n_envs / elapsed, draw_time / elapsed, self._show_time() * n_steps / elapsed)

    def _play(self, active: np.ndarray) -> None:
        """Play one random decision."""
        draw_legal(self._step.action_mask, self._rng, self._actions)
        self._step = self.env.step(self._actions, active)

    def _show_time(self) -> float:
        """Return how long it takes to write what all envs show, [s]; a command that only this benchmark gives."""
        self.env._request.active[:] = True
        start = time.perf_counter()
        for _ in range(5):
            self.env._play(SHOW)
        return (time.perf_counter() - start) / 5


def main(args: Optional[list[str]] = None) -> None:
    """Measure, print the table, write the JSON."""
    options = _parse(args)
    run = describe_run(options.note)
    rows: list[dict[str, Any]] = []
    for map_name in options.maps:
        rows += _measure_map(map_name, options)
    memory = [_measure_memory(map_name) for map_name in options.maps]
    result = {'what': 'simulator speed, random legal actions', 'sim_version': SIM_VERSION, **run}
    result.update(seconds=options.seconds, repeats=options.repeats, speed=rows, memory=memory)
    write_json(options.out, result)
    text = f'{_table(rows, options)}\n{_memory_table(memory)}\n{source_line(run)}'
    sys.stdout.write(text)
    if options.doc:
        update_block(options.doc, 'sim_speed', text)


def _measure_map(map_name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return one row per number of threads and batch size."""
    plan = [(t, e) for t in options.threads for e in options.batches if t <= e]
    cases = [_Case(map_name, n_envs, n_threads) for n_threads, n_envs in plan]
    paces: list[list[Pace]] = [[] for _ in cases]
    for _ in range(options.repeats):
        for case, seen in zip(cases, paces):
            seen.append(case.measure(options.seconds))
    rows = [
        {
            'map': map_name,
            'threads': n_threads,
            'n_envs': n_envs,
            'env_steps_per_s': round(statistics.median(p.rate for p in seen), 1),
            'all_env_steps_per_s': [round(p.rate, 1) for p in seen],
            'draw_share': round(statistics.median(p.draw_share for p in seen), 4),
            'show_share': round(statistics.median(p.show_share for p in seen), 4),
        } for (n_threads, n_envs), seen in zip(plan, paces)
    ]
    rates = ', '.join(f'{row["threads"]} x {row["n_envs"]}: {row["env_steps_per_s"]:,.0f}' for row in rows)
    sys.stdout.write(f'{map_name}, env steps/s by threads x envs: {rates}\n')
    return rows


def _measure_memory(map_name: str) -> dict[str, Any]:
    """Return the memory that batches of growing size take, all arrays of the env included."""
    sizes = []
    for n_envs in MEMORY_BATCHES:
        tracemalloc.start()
        env = SimVecEnv(map_name, n_envs, n_threads=1)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        env.close()
    per_env = [(b - a) / (f - e) for a, b, e, f in zip(sizes, sizes[1:], MEMORY_BATCHES, MEMORY_BATCHES[1:])]
    return {
        'map': map_name,
        'n_envs': list(MEMORY_BATCHES),
        'bytes': sizes,
        'bytes_per_env': round(per_env[-1]),
        'growth': round(per_env[-1] / per_env[0], 3),  # 1 = linear
    }


def _table(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Return env steps per second, one line per map, one column per threads and batch size; shares without threads."""
    plan = [(t, e) for t in options.threads for e in options.batches if t <= e]
    names = [f'{t} thread{"s" * (t > 1)}, {e} env{"s" * (e > 1)}' for t, e in plan]
    head = ['env steps/s', *names, 'time in drawing actions', 'in obs, state, mask']
    lines = []
    for map_name in dict.fromkeys(row['map'] for row in rows):
        cells = {(row['threads'], row['n_envs']): row for row in rows if row['map'] == map_name}
        plain = cells[max(cells, key=lambda c: (-c[0], c[1]))]  # fewest threads, most envs
        shares = [f'{plain["draw_share"]:.0%}', f'{plain["show_share"]:.0%}']
        lines.append([map_name, *[f'{cells[c]["env_steps_per_s"]:,.0f}' if c in cells else '' for c in plan], *shares])
    return markdown_table(head, lines)


def _memory_table(memory: list[dict[str, Any]]) -> str:
    """Return memory per env, and how its growth from the larger batches compares with that from the smaller ones."""
    lines = [[row['map'], f'{row["bytes_per_env"] / 1024:.1f} KiB', f'{row["growth"]:.3f}'] for row in memory]
    return markdown_table(['map', 'memory per env', 'growth, 1 = linear'], lines)


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    n_cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--maps', nargs='+', default=list(SCENARIOS), choices=SCENARIOS, metavar='MAP')
    parser.add_argument('--threads', nargs='+', type=int, default=sorted({1, n_cores}))
    parser.add_argument('--batches', nargs='+', type=int, default=[1, 32, 256], help='numbers of envs')
    parser.add_argument('--seconds', type=float, default=0.5, help='of one measurement')
    parser.add_argument('--repeats', type=int, default=5, help='measurements per case; the median is reported')
    parser.add_argument('--note', default='', help='written beside the result, such as: the machine was shared')
    parser.add_argument('--out', default='docs/results/sim_speed.json', help='JSON to write')
    parser.add_argument('--doc', help='Markdown page whose block sim_speed is to be rewritten')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
