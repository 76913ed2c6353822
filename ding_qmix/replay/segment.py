"""Some samples of a replay buffer, as they are saved in a file of their own."""
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.replay.row_store import Arrays, RowStore, Shapes
from ding_qmix.run_state.checks import check_count, check_entries

_LONGEST = 10 ** 6  # [env steps]


class Stored(NamedTuple):
    """Where a sample lies: T steps in rows first .. first + T, the last of them without an action."""
    first: int
    n_steps: int


def segment_of(store: RowStore, samples: list[Stored], slots: np.ndarray) -> dict[str, Any]:
    """Copy samples out of their rows and slots: tensors and plain values."""
    rows = np.concatenate([np.arange(s.first, s.first + s.n_steps + 1) for s in samples])
    return {'lengths': [s.n_steps for s in samples], 'storage': store.state_dict(rows, slots)}


def check_lengths(segment: Any, n_samples: int) -> list[int]:
    """Return the lengths of a segment's samples, [env steps]; ValueError if it is damaged."""
    check_entries('EpisodeBuffer: segment', segment, ('lengths', 'storage'))
    if len(segment['lengths']) != n_samples:
        raise ValueError(
            f'EpisodeBuffer: segment of {len(segment["lengths"])} samples, expected {n_samples}; is the file damaged?'
        )
    return [check_count('EpisodeBuffer: length of a sample', length, 1, _LONGEST) for length in segment['lengths']]


def segment_samples(shapes: Shapes, segment: dict[str, Any], dtype: type) -> Iterator[Arrays]:
    """Check a segment and iterate over its samples, as they were pushed but for what the storage rounded."""
    lengths = segment['lengths']
    store = RowStore(shapes, sum(lengths) + len(lengths), len(lengths), dtype)
    store.load_state_dict(segment['storage'], np.arange(len(lengths)), sum(lengths) + len(lengths))
    return _samples(store, lengths)


def _samples(store: RowStore, lengths: list[int]) -> Iterator[Arrays]:
    """Yield the samples that lie one after another in a store."""
    first = 0
    for slot, length in enumerate(lengths):
        yield store.read_sample(first, length, slot)
        first += length + 1
