from typing import NamedTuple

import numpy as np

from ding_qmix.numba_kernel import fast_kernel


class Shard(NamedTuple):
    """
    Some episodes of a batch as a packed sequence, as torch's PackedSequence: rows by time, longest episode first, no
    padding. An episode of length T has T + 1 rows of obs and T steps.
    """
    episode: np.ndarray  # int64 [b], which of the batch's B episodes
    row_offsets: np.ndarray  # int64 [T + 2], where each time's rows begin among all rows of obs
    step_offsets: np.ndarray  # int64 [T + 1], where each time's steps begin among all steps

    @property
    def n_rows(self) -> int:
        """Rows of obs."""
        return int(self.row_offsets[-1])

    @property
    def n_steps(self) -> int:
        """Steps, [env steps]."""
        return int(self.step_offsets[-1])


def make_shard(episode: np.ndarray, length: np.ndarray) -> Shard:
    """Pack episodes int64 [b] of these lengths int64 [b], [env steps], longest first."""
    n_running = (length >= np.arange(length[0] + 2)[:, None]).sum(1)  # [T + 2] episodes with a row; the last is 0
    row_offsets, step_offsets = (np.concatenate([[0], np.cumsum(n)]) for n in (n_running[:-1], n_running[1:-1]))
    return Shard(episode, row_offsets, step_offsets)


@fast_kernel
def pack_rows(batch: np.ndarray, episode: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    """Copy batch [T, B, F] to rows [R, F], offsets[t + 1] - offsets[t] of each time."""
    for t in range(len(offsets) - 1):
        for k in range(offsets[t + 1] - offsets[t]):
            row, value = out[offsets[t] + k], batch[t, episode[k]]
            for j in range(len(row)):
                row[j] = value[j]
