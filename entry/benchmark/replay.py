"""
Measure the replay buffer: memory when full, what rounding costs, time of push and sample against plain tensors.

    python entry/benchmark/replay.py --doc docs/replay.md

Filled with episodes of the simulator, half of them played at random, half by the scripted policy 'closest'. Fewer are
played than the buffer holds, and each is pushed several times.
"""
import argparse
import gc
import logging
import os
import statistics
import sys
import time
from itertools import cycle, islice
from typing import Any, Callable, NamedTuple, Optional

import torch
from replay_cases import (
    POLICIES,
    PlainBuffer,
    Sample,
    draw_batch,
    fresh_model,
    make_buffer,
    play,
    pymarl_bytes,
    storage_of,
    used_bytes,
)
from replay_tables import memory_table, rounding_table, row_table, speed_table

from ding_qmix.policy.samples import cut_chunks
from ding_qmix.replay import EpisodeBuffer
from ding_qmix.replay.priority_table import PriorityTable
from ding_qmix.sim import SIM_VERSION
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.spec import EpisodeBatch
from ding_qmix.utils.report import describe_run, source_line, update_block, write_json
from ding_qmix.utils.threads import one_torch_thread

CHUNK_LEN = 10  # [env steps] DI-engine's setting for MMM
SPEED_LEN = 60  # [env steps] of the timed episodes
BATCH_SIZE = 32


class Case(NamedTuple):
    """A buffer to fill."""
    map_name: str
    chunk_len: int  # [env steps], 0 is whole episodes
    n_samples: int  # capacity

    @property
    def title(self) -> str:
        """What it is called in tables."""
        what = f'chunks of {self.chunk_len}' if self.chunk_len else 'episodes'
        return f'{self.map_name}, {self.n_samples:,} {what}'


def main(args: Optional[list[str]] = None) -> None:
    """Measure, print the tables, write the JSON."""
    options = _parse(args)
    run = describe_run(options.note)
    memory: list[dict[str, Any]] = []
    rounding: list[dict[str, Any]] = []
    speed: list[dict[str, Any]] = []
    with one_torch_thread():
        for case in options.cases:
            episodes = play(case.map_name, options.episodes)
            samples = [s for e in episodes for s in cut_chunks(e, case.chunk_len)]
            memory.append(_measure_memory(case, samples, episodes))
            rounding.append(_measure_rounding(case, samples))
            if case.map_name == 'MMM':
                speed += _measure_speed(case, episodes, options.repeats)
            sys.stdout.write(f'{case.title}: {memory[-1]["resident_bytes"] / 1e6:,.0f} MB\n')
    result = {'what': 'replay buffer', 'sim_version': SIM_VERSION, 'policies': POLICIES, **run}
    result.update(memory=memory, rounding=rounding, speed=speed, draw_ms=_measure_draw(options.repeats))
    write_json(options.out, result)
    tables = [row_table(memory), memory_table(memory), rounding_table(rounding), speed_table(speed)]
    text = '\n'.join([*tables, source_line(run)])
    sys.stdout.write(text)
    if options.doc:
        update_block(options.doc, 'replay_memory', text)


def _measure_memory(case: Case, samples: list[Sample], episodes: list[Sample]) -> dict[str, Any]:
    """Fill a buffer and return what it takes."""
    make_buffer(1).push(samples[:1])  # compiles
    spec = make_spec(case.map_name)
    n_rows = case.n_samples * ((case.chunk_len or spec.episode_limit) + 1)
    buffer = make_buffer(case.n_samples, max_rows=n_rows)
    gc.collect()
    before = _resident_bytes()
    source = cycle(samples)
    for first in range(0, case.n_samples, BATCH_SIZE):
        buffer.push(list(islice(source, min(BATCH_SIZE, case.n_samples - first))))
    gc.collect()
    resident, store = _resident_bytes() - before, storage_of(buffer)
    lengths, all_slots = [len(e['mask']) for e in episodes], case.n_samples * store.slot_bytes
    return {
        'case': case.title,
        'n_episodes_played': len(episodes),
        'mean_episode_len': round(statistics.mean(lengths), 2),
        'max_episode_len': max(lengths),
        'n_samples': buffer.count(),
        'rows': buffer._rows.n_used,
        'storage_bytes': used_bytes(buffer),
        'resident_bytes': resident,
        'default_most_bytes': min(n_rows, 64 * case.n_samples) * store.row_bytes + all_slots,
        'limit_length_bytes': n_rows * store.row_bytes + all_slots,
        'plain_float32_bytes': buffer._rows.n_used * _plain_row_bytes(samples[0]) + 2 * all_slots,
        'pymarl_5000_bytes': pymarl_bytes(case.map_name, 5000),
        **_layout(case, buffer),
    }


def _layout(case: Case, buffer: EpisodeBuffer) -> dict[str, Any]:
    """Return the bytes of a row by field, and which share of it could be rebuilt."""
    store, spec = storage_of(buffer), make_spec(case.map_name)
    sizes = {name: column.row_bytes for name, column in store._columns.items()}
    sizes.update({name: rows[0].nbytes for name, rows in store._plain.items()})
    n_bits = {name: column.n_bit_columns for name, column in store._columns.items()}
    return {
        'row_bytes': dict(sizes, all=store.row_bytes),
        'slot_bytes': store.slot_bytes,
        'features': dict(obs=spec.obs_dim, state=spec.state_dim),
        'bit_features': n_bits,
        'one_hot_share': round(_one_hot_bytes(case, n_bits) / store.row_bytes, 4),
    }


def _one_hot_bytes(case: Case, n_bits: dict[str, int]) -> float:
    """Bytes of a row that agent ids and last actions take in obs and state; they could be rebuilt from the rest."""
    spec = make_spec(case.map_name)
    n_obs = spec.obs_layout.last_action + spec.obs_layout.agent_id
    obs_bytes = (n_bits['obs'] + 7) // 8 - (n_bits['obs'] - n_obs + 7) // 8
    return spec.n_agents * obs_bytes + spec.n_agents * spec.n_actions / 8


def _plain_row_bytes(sample: Sample) -> int:
    """Bytes of a row of float32, int64 actions and bool masks."""
    return sum(value[0].nbytes for name, value in sample.items() if name != 'hidden_state')


@torch.no_grad()
def _measure_rounding(case: Case, samples: list[Sample]) -> dict[str, Any]:
    """Compare what a buffer in float16 and one in float32 return for the same draws."""
    result: dict[str, Any] = {'case': case.title}
    for name in ('obs', 'state'):
        n, total, largest = 0, 0., 0.
        for sample in samples:
            error = (sample[name] - sample[name].half().float()).abs()
            n, total, largest = n + error.numel(), total + float(error.sum()), max(largest, float(error.max()))
        result[f'{name}_max_error'], result[f'{name}_mean_error'] = largest, total / n
    batches = []
    for obs_dtype in ('float16', 'float32'):
        buffer = make_buffer(len(samples), obs_dtype=obs_dtype)
        buffer.push(samples)
        batches.append(draw_batch(buffer, min(BATCH_SIZE, len(samples))))
    float16, float32 = batches
    assert torch.equal(float16.reward, float32.reward)
    result['q_tot'] = _q_tot_error(case.map_name, float16, float32)
    if float32.hidden_state is not None:
        only_hidden = float32._replace(hidden_state=float16.hidden_state)
        result['q_tot_hidden_state_only'] = _q_tot_error(case.map_name, only_hidden, float32)
    return result


def _q_tot_error(map_name: str, rounded: EpisodeBatch, exact: EpisodeBatch) -> dict[str, float]:
    """Difference of Q_tot of the actions taken by a fresh network, over real steps, and Q_tot's own size."""
    model, real = fresh_model(map_name), exact.mask > 0
    q_tots = []
    for batch in (rounded, exact):
        q, _ = model.q_values(batch.obs, batch.hidden_state, batch.length + 1)  # [T + 1, B, N, A]
        chosen_q = q[:-1].gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)  # [T, B, N]
        q_tots.append(model.mixer(chosen_q, batch.state[:-1])[real])
    error = (q_tots[0] - q_tots[1]).abs()
    return {
        'max_error': float(error.max()),
        'mean_error': float(error.mean()),
        'mean_abs_q_tot': float(q_tots[1].abs().mean()),
        'max_relative_error': float((error / q_tots[1].abs()).max()),
    }


def _measure_speed(case: Case, episodes: list[Sample], repeats: int) -> list[dict[str, Any]]:
    """Time pushing and sampling 32 samples of one length, ours in turn with plain tensors."""
    length = case.chunk_len or SPEED_LEN
    samples = [s for e in episodes for s in cut_chunks(e, length, stored_state=bool(case.chunk_len))]
    samples = [s for s in samples if len(s['mask']) == length]
    n_rows, n = len(samples) * (length + 1), len(samples)
    buffers: dict[str, Any] = {
        'compact': make_buffer(n, max_rows=n_rows),
        'compact_priority': make_buffer(n, priority=True)
    }
    for name, dtype in (('plain_float16', torch.float16), ('plain_float32', torch.float32)):
        buffers[name] = PlainBuffer(samples[0], n_rows, n, dtype)
    rows = []
    batch_size = min(BATCH_SIZE, n)
    for verb in ('push', 'sample'):
        calls = {name: _timed_call(buffer, verb, samples, batch_size) for name, buffer in buffers.items()}
        times = _interleaved_ms(calls, repeats)
        rows.append({'batch': f'{batch_size} x {length} steps', 'n_stored': n, 'verb': verb, 'ms': times})
    return rows


def _timed_call(buffer: Any, verb: str, samples: list[Sample], batch_size: int) -> Callable[[], Any]:
    """Return what is to be timed, on a buffer made ready for it."""
    buffer.clear()
    buffer.push(samples)
    if verb == 'sample':
        return lambda: buffer.sample(batch_size)
    buffer.clear()
    source = cycle([samples[i:i + batch_size] for i in range(0, len(samples) - batch_size + 1, batch_size)])

    def push() -> None:
        if isinstance(buffer, PlainBuffer):
            buffer.clear()
        buffer.push(next(source))

    return push


def _interleaved_ms(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, dict[str, float]]:
    """Call in turn and return median and smallest time of each, [ms]."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {n: {'median': round(statistics.median(t), 3), 'min': round(min(t), 3)} for n, t in times.items()}


def _measure_draw(repeats: int) -> dict[str, float]:
    """Time one prioritised draw of 32 out of 15,000, [ms]."""
    table, slots, generator = PriorityTable(15000, 0.6, 0.4, 0), torch.arange(15000), torch.Generator().manual_seed(0)
    for slot in range(15000):
        table.add(slot)
    return _interleaved_ms({'draw': lambda: table.draw(slots, BATCH_SIZE, generator)}, repeats)['draw']


def _resident_bytes() -> int:
    """Memory of this process that is backed by pages, [bytes]."""
    with open('/proc/self/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def _case(text: str) -> Case:
    """Read MAP:CHUNK_LEN:SAMPLES."""
    map_name, chunk_len, n_samples = text.split(':')
    return Case(map_name, int(chunk_len), int(n_samples))


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = [f'MMM:{CHUNK_LEN}:15000', 'MMM:0:5000', '27m_vs_30m:0:5000']
    parser.add_argument(
        '--cases',
        nargs='+',
        type=_case,
        default=[_case(c) for c in cases],
        metavar='MAP:CHUNK_LEN:SAMPLES',
        help='buffers to fill; chunk length in env steps, 0 for whole episodes'
    )
    parser.add_argument('--episodes', type=int, default=500, help='that are played for each buffer')
    parser.add_argument('--repeats', type=int, default=40, help='calls per timed case; the median is reported')
    parser.add_argument('--note', default='', help='written beside the result, such as: the machine was shared')
    parser.add_argument('--out', default='docs/results/replay_memory.json', help='JSON to write')
    parser.add_argument('--doc', help='Markdown page whose block replay_memory is to be rewritten')
    return parser.parse_args(args)


if __name__ == '__main__':
    logging.disable(logging.WARNING)  # every buffer logs its size
    main()
