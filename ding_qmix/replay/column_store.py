from typing import Union

import numpy as np
import torch
from torch import Tensor

from ding_qmix.replay.column_kernels import FLOAT16_VALUES, pack_columns, scan_columns, unpack_float16, unpack_float32
from ding_qmix.run_state.checks import check_tensor

COLUMN_PARTS = ('is_real', 'bits', 'real_values')  # of a state
_BLOCK = 1024  # [rows] that are laid out anew at a time
_NO_LIMIT = np.uint32(0xffffffff)


class ColumnStore:
    """
    Overview:
        Rows of features [..., F]. A column, which is one feature of all agents, takes one bit per value as long as all
        of its values were 0. or 1., and float16 or float32 once another one is seen. So bits lose nothing, and no
        column has to be declared. Rows that are never written take no memory.
    Interfaces:
        ``cover``, ``write``, ``read``, ``adopt``, ``blank``, ``state_dict``, ``check_state``, ``load_state_dict``
    Properties:
        ``row_bytes``, ``n_bit_columns``
    """

    def __init__(self, name: str, shape: tuple[int, ...], n_rows: int, dtype: type) -> None:
        """
        Arguments:
            - name: of the field, for messages
            - shape: of a row; the last axis is features
            - n_rows: size of the storage, C
            - dtype: of columns that are no bits, np.float16 or np.float32
        """
        self._name, self._n_rows, self._dtype = name, n_rows, dtype
        self._shape = (int(np.prod(shape[:-1])), shape[-1])  # [G, F]
        self._limit = np.float32(np.finfo(np.float16).max).view(np.uint32) if dtype is np.float16 else _NO_LIMIT
        self._lay_out(np.zeros(shape[-1], dtype=np.bool_))

    @property
    def row_bytes(self) -> int:
        """Size of a row, [bytes]."""
        return int(self._bits[0].nbytes + self._real_values[0].nbytes)

    @property
    def n_bit_columns(self) -> int:
        """Columns that take one bit."""
        return len(self._bit_columns)

    def cover(self, values: list[np.ndarray], n_used: int) -> int:
        """
        Overview:
            Make sure that rows can be written; columns that were bits and no longer are get laid out anew, which keeps
            what is stored to the last bit, and needs memory for old and new rows while it lasts.
        Arguments:
            - values: float32 [R, ..., F] each
            - n_used: rows that hold something, from the start of the storage
        Returns:
            - n_promoted: columns that are bits no longer
        Raises:
            - ValueError: a value does not fit into float16; nothing has changed then
        """
        is_real = self._is_real.copy()
        fits = [scan_columns(v.reshape(-1, self._shape[1]).view(np.uint32), self._limit, is_real) for v in values]
        if not all(fits):
            raise ValueError(
                f'EpisodeBuffer: {self._name} holds NaN, or values beyond 65504, which float16 does not reach; set '
                "replay_buffer.obs_dtype='float32', or scale the observations"
            )
        n_promoted = int(is_real.sum() - self._is_real.sum())
        if n_promoted > 0:
            self._promote(is_real, n_used)
        return n_promoted

    def write(self, first: int, values: np.ndarray) -> None:
        """Store rows that are covered, float32 [R, ..., F], from row ``first`` on."""
        values = values.reshape(-1, *self._shape)
        stop = first + len(values)
        real_values = np.empty((*values.shape[:2], len(self._real_columns)), dtype=np.float32)
        pack_columns(values, self._bit_columns, self._real_columns, self._bits[first:stop], real_values)
        torch.from_numpy(self._real_values[first:stop]).copy_(torch.from_numpy(real_values))  # rounds faster than NumPy

    def read(self, rows: np.ndarray, values_out: np.ndarray) -> None:
        """Write the rows int64 [R] into float32 [R, ..., F]."""
        out = values_out.reshape(len(rows), *self._shape)
        columns = (self._bit_columns, self._real_columns)
        if self._dtype is np.float16:
            unpack_float16(self._bits, self._real_values.view(np.uint16), rows, *columns, FLOAT16_VALUES, out)
        else:
            unpack_float32(self._bits, self._real_values, rows, *columns, out)

    def adopt(self, is_real: np.ndarray, n_used: int) -> None:
        """Have no bits where another store has none, bool [F]; see ``cover`` for the rest."""
        wanted = self._is_real | is_real
        if (wanted != self._is_real).any():
            self._promote(wanted, n_used)

    def blank(self, n_used: int) -> None:
        """Make the first rows readable, and so fit to be laid out anew, though they were not written yet."""
        self._bits[:n_used] = 0
        self._real_values[:n_used] = 0

    def state_dict(self, rows: Union[int, np.ndarray]) -> dict[str, Tensor]:
        """Return a copy of the rows int64 [R], or of the first so many."""
        picked = slice(rows) if isinstance(rows, int) else rows
        return {
            'is_real': torch.from_numpy(self._is_real.copy()),
            'bits': torch.from_numpy(self._bits[picked].copy()),
            'real_values': torch.from_numpy(self._real_values[picked].copy()),
        }

    def check_state(self, state_dict: dict[str, Tensor], n_rows: int) -> None:
        """ValueError unless a ``state_dict`` has so many rows, of bits and real values for the columns it names."""
        n_agents, n_columns = self._shape
        is_real = check_tensor(f'EpisodeBuffer: {self._name}.is_real', state_dict['is_real'], torch.bool, (n_columns, ))
        n_real, dtype = int(is_real.sum()), torch.float16 if self._dtype is np.float16 else torch.float32
        parts = {'bits': (torch.uint8, (n_columns - n_real + 7) // 8), 'real_values': (dtype, n_real)}
        for part, (part_dtype, width) in parts.items():
            where = f'EpisodeBuffer: {self._name}.{part}'
            check_tensor(where, state_dict[part], part_dtype, (n_rows, n_agents, width))

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> None:
        """Restore ``state_dict``."""
        self._lay_out(state_dict['is_real'].numpy().copy())
        n_used = len(state_dict['bits'])
        self._bits[:n_used] = state_dict['bits'].numpy()
        self._real_values[:n_used] = state_dict['real_values'].numpy()

    def _lay_out(self, is_real: np.ndarray) -> None:
        """Reserve the storage; pages that no row touches cost no memory."""
        self._is_real = is_real  # bool [F]
        self._bit_columns, self._real_columns = np.flatnonzero(~is_real), np.flatnonzero(is_real)  # int64
        n_agents = self._shape[0]
        self._bits = np.empty((self._n_rows, n_agents, (self.n_bit_columns + 7) // 8), dtype=np.uint8)
        self._real_values: np.ndarray = np.empty((self._n_rows, n_agents, len(self._real_columns)), dtype=self._dtype)

    def _promote(self, is_real: np.ndarray, n_used: int) -> None:
        """Lay out anew and copy the rows over, block by block."""
        old = ColumnStore.__new__(ColumnStore)
        old.__dict__.update(self.__dict__)
        self._lay_out(is_real)
        for first in range(0, n_used, _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, n_used))
            values = np.empty((len(rows), *self._shape), dtype=np.float32)
            old.read(rows, values)
            self.write(first, values)
