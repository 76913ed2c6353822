"""Some samples of a replay buffer, as they are saved in a file of their own."""
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.replay.row_store import Arrays, RowStore, Shapes


class Stored(NamedTuple):
    """Where a sample lies: T steps in rows first .. first + T, the last of them without an action."""
    first: int
    n_steps: int


def segment_of(store: RowStore, samples: list[Stored], slots: np.ndarray) -> dict[str, Any]:
    """Copy samples out of their rows and slots: tensors and plain values."""
    rows = np.concatenate([np.arange(s.first, s.first + s.n_steps + 1) for s in samples])
    return {'lengths': [s.n_steps for s in samples], 'storage': store.state_dict(rows, slots)}


def segment_samples(shapes: Shapes, segment: dict[str, Any], dtype: type) -> Iterator[Arrays]:
    """Yield the samples of a segment, as they were pushed but for what the storage rounded."""
    lengths, first = segment['lengths'], 0
    store = RowStore(shapes, sum(lengths) + len(lengths), len(lengths), dtype)
    store.load_state_dict(segment['storage'], np.arange(len(lengths)))
    for slot, length in enumerate(lengths):
        yield store.read_sample(first, length, slot)
        first += length + 1
