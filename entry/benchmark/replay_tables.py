"""The tables of ``replay.py``."""
from typing import Any

from ding_qmix.utils.report import markdown_table

Rows = list[dict[str, Any]]


def row_table(memory: Rows) -> str:
    """Return the bytes of a row by field, one line per field."""
    seen = {case['case'].split(',')[0]: case for case in memory}  # one per map
    lines = []
    for name in next(iter(seen.values()))['row_bytes']:
        lines.append([name if name != 'all' else '**a row**', *[_field(case, name) for case in seen.values()]])
    shares = [f'{case["one_hot_share"]:.1%}' for case in seen.values()]
    lines.append(['of it agent ids and last actions', *shares])
    return markdown_table(['bytes of a row', *seen], lines)


def memory_table(memory: Rows) -> str:
    """Return what full buffers take."""
    head = ['full buffer', 'mean episode', 'resident', 'storage', 'at most', 'at the limit', 'float32', 'PyMARL']
    names = (
        'resident_bytes', 'storage_bytes', 'default_most_bytes', 'limit_length_bytes', 'plain_float32_bytes',
        'pymarl_5000_bytes'
    )
    lines = [
        [case['case'], f'{case["mean_episode_len"]:.1f} steps', *[f'{case[name] / 1e6:,.0f} MB' for name in names]]
        for case in memory
    ]
    return markdown_table(head, lines)


def rounding_table(rounding: Rows) -> str:
    """Return what float16 costs in features and in Q_tot."""
    head = ['rounding', 'obs: largest, mean', 'state: largest, mean', 'Q_tot: largest, mean', 'mean size of Q_tot']
    lines = []
    for case in rounding:
        errors = [f'{case[f"{n}_max_error"]:.1e}, {case[f"{n}_mean_error"]:.1e}' for n in ('obs', 'state')]
        lines.append([case['case'], *errors, *_q_tot_cells(case['q_tot'])])
        if 'q_tot_hidden_state_only' in case:
            lines.append(['the same, hidden state alone', '', '', *_q_tot_cells(case['q_tot_hidden_state_only'])])
    return markdown_table(head, lines)


def speed_table(speed: Rows) -> str:
    """Return median times, one line per batch and verb, one column per buffer."""
    head = ['median (smallest) time, ms', *[name.replace('_', ', ') for name in speed[0]['ms']]] if speed else ['none']
    lines = [
        [f'{row["verb"]} {row["batch"]}', *[f'{t["median"]:.1f} ({t["min"]:.1f})' for t in row['ms'].values()]]
        for row in speed
    ]
    return markdown_table(head, lines)


def _field(case: dict[str, Any], name: str) -> str:
    """Bytes of a field, and how many of its features are bits."""
    text = f'{case["row_bytes"][name]:,}'
    if name not in case['bit_features']:
        return text
    return f'{text} ({case["bit_features"][name]} of {case["features"][name]} features are bits)'


def _q_tot_cells(error: dict[str, float]) -> list[str]:
    """Largest and mean difference, and Q_tot's own size."""
    return [f'{error["max_error"]:.1e}, {error["mean_error"]:.1e}', f'{error["mean_abs_q_tot"]:.2g}']
