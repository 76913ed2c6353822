"""The check of a saved replay buffer before it is restored: where samples lie, what shapes they have."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from ding_qmix.replay.row_store import FIELDS
from ding_qmix.run_state.checks import check_count, check_entries, check_tensor

_ENTRIES = ('shapes', 'storage', 'obs_dtype', 'samples', 'next_id', 'rows', 'priorities', 'generator')
_WHERE = 'EpisodeBuffer: state'
_MOST = 10 ** 6  # of a shape


class BufferLayout(NamedTuple):
    """What a state must fit."""
    n_slots: int  # most samples
    n_rows: int
    obs_dtype: str
    priority: bool
    generator_len: int  # [bytes] of a generator's state


def check_buffer_state(state: Any, layout: BufferLayout) -> None:
    """
    Overview:
        Check what says where samples lie; the storage itself is checked by ``RowStore``.
    Raises:
        - ValueError: the state is of a buffer with another layout, or damaged; names the entry
    """
    check_entries(_WHERE, state, _ENTRIES)
    check_entries(f'{_WHERE}: rows', state['rows'], ('n_rows', 'gaps'))
    given = (state['rows']['n_rows'], state['obs_dtype'], state['priorities'] is not None)
    expected = (layout.n_rows, layout.obs_dtype, layout.priority)
    if given != expected:
        raise ValueError(f'EpisodeBuffer: state with (rows, obs_dtype, priority) {given}, this buffer has {expected}')
    samples = state['samples']
    if len(samples) > layout.n_slots:
        raise ValueError(
            f'EpisodeBuffer: state with {len(samples)} samples, this buffer holds at most {layout.n_slots}'
        )
    check_count(f'{_WHERE}: next_id', state['next_id'], len(samples))
    _check_places(samples, state['rows']['gaps'], layout.n_rows)
    check_tensor(f'{_WHERE}: generator', state['generator'], torch.uint8, (layout.generator_len, ))
    if samples or state['shapes']:
        _check_shapes(state['shapes'])
    if state['priorities'] is not None:
        _check_priorities(state['priorities'], len(samples))


def _check_places(samples: Any, gaps: Any, n_rows: int) -> None:
    """Samples lie one beside another in the rows, and the gaps are what they leave."""
    for sample in samples:
        first, n_steps = sample if isinstance(sample, (list, tuple)) and len(sample) == 2 else (None, None)
        first = check_count(f'{_WHERE}: first row of a sample', first)
        check_count(f'{_WHERE}: steps of a sample in row {first}', n_steps, 1, n_rows - first - 1)
    stop, free = 0, []
    for first, n_steps in [*sorted(map(tuple, samples)), (n_rows, 0)]:
        if first < stop:
            raise ValueError(f'{_WHERE}: two samples lie in row {first}; is the file damaged?')
        if first > stop:
            free.append((stop, first - stop))
        stop = first + n_steps + 1
    if [tuple(gap) for gap in gaps] != free:
        raise ValueError(f'{_WHERE}: rows have the gaps {gaps}, but samples leave {free}; is the file damaged?')


def _check_shapes(shapes: Any) -> None:
    """The shapes of a step fit one another."""
    check_entries(f'{_WHERE}: shapes', shapes, FIELDS)
    if shapes.keys() - FIELDS - {'hidden_state'}:
        raise ValueError(f'{_WHERE}: shapes of {sorted(shapes)}, expected {sorted(FIELDS)}, and hidden_state')
    for name, shape in shapes.items():
        for size in shape:
            check_count(f'{_WHERE}: shape of {name}', size, 1, _MOST)
    ranks = {'obs': 2, 'state': 1, 'action_mask': 2, 'action': 1, 'hidden_state': 3}
    n_agents = {shapes[name][0] for name in ('obs', 'action_mask', 'action', 'hidden_state') if shapes.get(name)}
    if any(len(shape) != ranks.get(name, 0) for name, shape in shapes.items()) or len(n_agents) != 1:
        raise ValueError(f'{_WHERE}: the shapes {dict(shapes)} do not fit one another; is the file damaged?')


def _check_priorities(priorities: Mapping[str, Any], n_samples: int) -> None:
    """Sampling takes finite shares."""
    check_entries(f'{_WHERE}: priorities', priorities, ('shares', 'max_priority', 'n_draws'))
    shares = check_tensor(f'{_WHERE}: shares', priorities['shares'], torch.float64, (n_samples, ))
    most: Any = priorities['max_priority']
    is_number = isinstance(most, (int, float)) and not isinstance(most, bool)
    if not (shares.isfinite() & (shares >= 0.)).all() or not is_number or not 0. < most < float('inf'):
        raise ValueError(f'{_WHERE}: priorities are negative or not finite; is the file damaged?')
    check_count(f'{_WHERE}: n_draws', priorities['n_draws'])
