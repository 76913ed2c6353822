"""Tables of ``pipeline.py``: of sides that differ in threads alone the fastest is shown."""
from functools import partial
from typing import Any, Callable

from ding_qmix.utils.report import markdown_table

Row = dict[str, Any]
_NAMES = {'ding': 'DI-engine', 'plain': 'plain nn.GRU', 'ours': 'ours'}


def result_tables(result: dict[str, Any]) -> str:
    """Return the tables of the parts that were measured, in Markdown."""
    texts = []
    if 'update' in result:
        texts.append(_update_table(result['update'], result['batch_size']))
    if 'collect' in result:
        texts.append(_collect_table(result['collect']))
    if 'end_to_end' in result:
        texts.append(_pipeline_table(result['end_to_end']))
    versions = result['versions']
    texts.append(f'torch {versions["torch"]}, DI-engine {versions["di_engine"]}, simulator {result["sim_version"]}.\n')
    return '\n'.join(texts)


def fastest(rows: list[Row], rate: Callable[[Row], float]) -> list[Row]:
    """Of each side's rows, which differ in torch's threads, keep the one of the highest rate."""
    groups: dict[Any, Row] = {}
    for row in rows:
        key = tuple(row['side'].values())
        if key not in groups or rate(row) > rate(groups[key]):
            groups[key] = row
    return list(groups.values())


def _update_table(rows: list[Row], batch_size: int) -> str:
    """Return update times; how many times faster than DI-engine's and than plain nn.GRU, from the same start."""
    head = [
        'update', 'batch', 'torch threads', 'update', 'trained env steps/s', 'x DI-engine', 'x plain nn.GRU',
        'with sampling', 'x DI-engine'
    ]
    lines = []
    for length in sorted((key for key in rows[0] if key.isdigit()), key=int):
        shown = fastest(rows, partial(_update_rate, length))
        ding, plain = (next(r[length] for r in shown if r['side']['kind'] == kind) for kind in ('ding', 'plain'))
        for row in shown:
            cell = row[length]
            lines.append(
                [
                    _name(row['side']), f'{batch_size} x {length}',
                    _threads(row), f'{1000 * cell["ready_s"]:.1f} ms', f'{cell["trained_env_steps_per_s"]:,.0f}',
                    f'{ding["ready_s"] / cell["ready_s"]:.1f}', f'{plain["ready_s"] / cell["ready_s"]:.2f}',
                    f'{1000 * cell["sampled_s"]:.1f} ms', f'{ding["sampled_s"] / cell["sampled_s"]:.1f}'
                ]
            )
    return markdown_table(head, lines)


def _collect_table(rows: list[Row]) -> str:
    """Return rates of collection; how many times faster than DI-engine's best on the simulator, and on the free env."""
    shown = fastest(rows, _rate)
    on_sim, on_free = _best_ding(shown)
    lines = [
        [
            _name(row['side']),
            _env(row['side']),
            _threads(row), f'{_rate(row):,.0f}', f'{row["episode_len"]:.0f}', f'{_rate(row) / on_sim:.2f}',
            f'{_rate(row) / on_free:.2f}'
        ] for row in shown
    ]
    head = [
        'collection', 'env', 'torch threads', 'env steps/s', 'episode length', 'x DI-engine', 'x DI-engine, free env'
    ]
    return markdown_table(head, lines)


def _pipeline_table(rows: list[Row]) -> str:
    """Return rates of collection and training together, shares of time, memory."""
    shown = fastest(rows, _rate)
    on_sim, on_free = _best_ding(shown)
    lines = [
        [
            _name(row['side']),
            _env(row['side']),
            _threads(row), f'{_rate(row):,.0f}', f'{row["episode_len"]:.0f}',
            f'{row["collect_s"] / row["seconds"]:.0%}', f'{row["learn_s"] / row["seconds"]:.0%}',
            f'{_rate(row) / on_sim:.1f}', f'{_rate(row) / on_free:.1f}',
            f'{row["peak_mib"]:,.0f} MiB, {row["samples_stored"]:,} chunks', f'{row["growth_kib_per_sample"]:.0f} KiB',
            f'{row["full_buffer_mib"]:,.0f} MiB'
        ] for row in shown
    ]
    head = [
        'end to end', 'env', 'torch threads', 'env steps/s', 'episode length', 'collecting', 'training', 'x DI-engine',
        'x DI-engine, free env', 'peak memory', 'per chunk', 'buffer full, calculated'
    ]
    return markdown_table(head, lines)


def _best_ding(shown: list[Row]) -> list[float]:
    """Return DI-engine's best rates on the simulator and on the free env."""
    return [
        max(_rate(row) for row in shown if row['side']['kind'] == 'ding' and row['side']['env'] == env)
        for env in ('sim', 'free')
    ]


def _rate(row: Row) -> float:
    return row['env_steps_per_s']


def _update_rate(length: str, row: Row) -> float:
    return row[length]['trained_env_steps_per_s']


def _name(side: Row) -> str:
    return _NAMES[side['kind']] + (', bf16' if side['bf16'] else '')


def _env(side: Row) -> str:
    """The env and how many there are."""
    if side['kind'] == 'ours':
        return 'simulator, 32 as one batch'
    return f'{"free" if side["env"] == "free" else "simulator"}, {side["n_envs"]} in manager {side["manager"]}'


def _threads(row: Row) -> str:
    return 'own' if row['side']['kind'] == 'ours' else row['threads']
