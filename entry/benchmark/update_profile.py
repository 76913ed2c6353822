"""
Measure where an update's time goes on one core, and how far it is from its lower bound: its matrix products at the
speed that this core reaches on products of these shapes alone.

    python entry/benchmark/update_profile.py --doc docs/speed.md
"""
import argparse
import statistics
import sys
import time
from typing import Any, Callable, Optional

import numpy as np
import torch

from ding_qmix.config import model_sizes
from ding_qmix.ding_compat import DingQMix
from ding_qmix.fast_cpu import CPUGradient
from ding_qmix.fast_cpu.blas import multiply_transposed
from ding_qmix.policy import QMIXPolicy
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.spec import EnvSpec, EpisodeBatch
from ding_qmix.utils.report import describe_run, markdown_table, source_line, update_block, write_json

H = 64  # width of all layers, as in DI-engine's configs
PARTS = {  # what is timed: (attribute of CPUGradient, its method)
    'packed sequence': ('', '_pack'),
    'agents, online network': ('_agent', 'forward'),
    'agents, target network': ('_target_agent', 'forward'),
    'mixer, online network': ('_mixer', 'forward'),
    'mixer, target network': ('_target_mixer', 'forward'),
    'mixer, backward pass': ('_mixer', 'backward'),
    'agents, backward pass': ('_agent', 'backward'),
}


def main(args: Optional[list[str]] = None) -> None:
    """Measure, print the table, write the JSON."""
    options = _parse(args)
    run, spec = describe_run(options.note), make_spec(options.map, obs_style='ding')
    torch.set_num_threads(1)
    rate = _product_rate(options.repeats)
    rows = [row for n_steps in options.steps for row in _profile(spec, options.batch, n_steps, rate, options.repeats)]
    result = {'what': 'where an update spends its time', **run, 'gflop_per_s': rate / 1e9, 'parts': rows}
    write_json(options.out, result)
    head = ['batch', 'part', 'time', 'share', 'MFLOP', 'lower bound', 'time / lower bound']
    lines = [
        [
            f'{options.batch} x {row["n_steps"]}', row['part'], f'{1e3 * row["seconds"]:.2f} ms', f'{row["share"]:.0%}',
            f'{row["flop"] / 1e6:,.0f}', f'{1e3 * row["lower_bound"]:.2f} ms' if row['flop'] else '',
            f'{row["seconds"] / row["lower_bound"]:.1f}' if row['flop'] else ''
        ] for row in rows
    ]
    bytes_per_step = _bytes_per_step(spec)
    text = (
        f'{markdown_table(head, lines)}\nOne core multiplies float32 matrices of these shapes at {rate / 1e9:.0f} '
        f'GFLOP/s. A trained env step moves about {bytes_per_step / 1e3:.0f} kB between the layers, obs and '
        f'activations each written once and read where they are used.\n\n{source_line(run)}'
    )
    sys.stdout.write(text)
    if options.doc:
        update_block(options.doc, 'update_profile', text)


def _profile(spec: EnvSpec, batch_size: int, n_steps: int, rate: float, repeats: int) -> list[dict[str, Any]]:
    """Time the parts of an update, all in turn, and return one row per part, the rest and the whole."""
    update, batch = _make_update(spec), _make_batch(spec, batch_size, n_steps)
    spent: dict[str, list[float]] = {name: [] for name in PARTS}
    for name, (owner, method) in PARTS.items():
        target = getattr(update, owner) if owner else update
        setattr(target, method, _timed(getattr(target, method), spent[name]))
    whole: list[float] = []
    run = _timed(update.gradient, whole)
    for _ in range(repeats + 2):
        run(batch, torch.arange(batch_size), batch.mask.sum())
    flop = _flop(spec, batch_size, n_steps)
    seconds = {name: statistics.median(times[2:]) for name, times in spent.items()}
    total = statistics.median(whole[2:])
    seconds['rest: values, TD errors, Python'] = total - sum(seconds.values())
    seconds['whole update'] = total
    flop['whole update'] = sum(flop.values())
    return [
        {
            'n_steps': n_steps,
            'part': name,
            'seconds': value,
            'share': value / total,
            'flop': flop.get(name, 0),
            'lower_bound': flop.get(name, 0) / rate
        } for name, value in seconds.items()
    ]


def _flop(spec: EnvSpec, batch_size: int, n_steps: int) -> dict[str, int]:
    """Operations of the matrix products; a product of [a, b] and [b, c] has 2 a b c."""
    N, A, S = spec.n_agents, spec.n_actions, spec.state_dim
    encoder, later = 2 * spec.obs_dim * H, 2 * (3 * H * H + 3 * H * H + H * H + H * A)  # per agent and env step
    first, hypernets = 2 * S * 4 * H, 2 * (H * N * H + H * H + H)  # per env step
    rows, transitions = batch_size * (n_steps + 1), batch_size * n_steps
    return {
        'agents, online network': rows * N * (encoder + later),
        'agents, target network': rows * N * (encoder + later),
        'mixer, online network': transitions * (first + hypernets),
        'mixer, target network': transitions * (first + hypernets),
        'mixer, backward pass': transitions * (first + 2 * hypernets),
        'agents, backward pass': transitions * N * (encoder + 2 * later),
    }


def _bytes_per_step(spec: EnvSpec) -> int:
    """Bytes written and read between the layers per env step."""
    obs = spec.n_agents * spec.obs_dim * (1 + 3)  # packed once; read by both networks and by the backward pass
    kept = spec.n_agents * 8 * H * 2  # encoder, states before and after, four gates, head: written and read
    mixer = (4 * H + spec.n_agents * H + 2 * H) * 2 + 3 * spec.state_dim
    return 4 * (obs + kept + mixer)


def _product_rate(repeats: int) -> float:
    """FLOP/s of the most frequent product alone: a tile's rows with the GRU's input weights."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((n, H), dtype=np.float32) for n in (1024, 3 * H))
    out, times = np.empty((1024, 3 * H), dtype=np.float32), []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        for _ in range(100):
            multiply_transposed(a, b, out)
        times.append((time.perf_counter() - start) / 100)
    return 2 * 1024 * 3 * H * H / statistics.median(times[2:])


def _make_update(spec: EnvSpec) -> CPUGradient:
    """The policy's update by default, with DI-engine's network sizes."""
    online, target = (DingQMix(**{**model_sizes(spec), 'hidden_size_list': [H]}) for _ in range(2))
    learn = QMIXPolicy.default_config().learn
    return CPUGradient(
        online, target, learn.discount_factor, learn.td_lambda, learn.double_q, learn.timeout_is_terminal
    )


def _make_batch(spec: EnvSpec, B: int, T: int) -> EpisodeBatch:
    """Random full-length chunks."""
    N, A = spec.n_agents, spec.n_actions
    zeros = torch.zeros(T, B)
    return EpisodeBatch(
        torch.rand(T + 1, B, N, spec.obs_dim), torch.rand(T + 1, B, spec.state_dim),
        torch.rand(T + 1, B, N, A) < 0.5, torch.randint(A, (T, B, N)), torch.rand(T, B), zeros, zeros, torch.ones(T, B),
        torch.full((B, ), T), torch.zeros(B, N, 1, H)
    )


def _timed(function: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    """Return the same function, which also notes how long it took."""

    def run(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        times.append(time.perf_counter() - start)
        return result

    return run


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--map', default='MMM', help='SMAC map whose shapes are used')
    parser.add_argument('--batch', type=int, default=16, help='samples; half of a batch of 32, which two cores share')
    parser.add_argument('--steps', nargs='+', type=int, default=[10, 60], help='lengths of the samples')
    parser.add_argument('--repeats', type=int, default=30, help='updates; the median is reported')
    parser.add_argument('--note', default='', help='written beside the result, such as: the machine was shared')
    parser.add_argument('--out', default='docs/results/update_profile.json', help='JSON to write')
    parser.add_argument('--doc', help='Markdown page whose block update_profile is to be rewritten')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
