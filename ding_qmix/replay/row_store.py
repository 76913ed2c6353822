from typing import Any, Union

import numpy as np
import torch
from torch import Tensor

from ding_qmix.replay.column_store import COLUMN_PARTS, ColumnStore
from ding_qmix.run_state.checks import check_entries, check_tensor
from ding_qmix.spec import EpisodeBatch

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]

_COLUMNS = ('obs', 'state')
_FLAGS = ('terminated', 'truncated', 'mask')
_SEEN = ('obs', 'state', 'action_mask')  # one row more than steps
_DTYPES: dict[str, Any] = dict(action_mask=np.bool_, action=np.int64)  # float32 else
_TORCH_DTYPES: dict[Any, torch.dtype] = {
    np.uint8: torch.uint8,
    np.int16: torch.int16,
    np.float16: torch.float16,
    np.float32: torch.float32
}
FIELDS = {*_SEEN, *_FLAGS, 'action', 'reward'}


def sample_arrays(sample: dict[str, Tensor]) -> Arrays:
    """
    Overview:
        View a training sample as NumPy arrays; what has the right type is not copied.
    Raises:
        - ValueError: fields of EpisodeBatch are missing, or there are others
    """
    if sample.keys() - {'hidden_state'} != FIELDS:
        raise ValueError(f'EpisodeBuffer: sample has {sorted(sample)}, expected {sorted(FIELDS)}, and hidden_state')
    return {
        name: np.ascontiguousarray(value.detach().cpu().numpy(), dtype=_DTYPES.get(name, np.float32))
        for name, value in sample.items()
    }


def row_shapes(sample: Arrays) -> Shapes:
    """Return the shape of one step of each field, and of the hidden state."""
    return {name: array.shape[name != 'hidden_state':] for name, array in sample.items()}


class RowStore:
    """
    Overview:
        Storage of training samples, one row per env step, in compact types. Features go into a ``ColumnStore``; masks
        are bits, actions and flags take a byte, rewards stay float32. A sample's hidden state has a slot of its own.
    Interfaces:
        ``check``, ``cover``, ``write``, ``read``, ``read_sample``, ``adopt``, ``blank``,
        ``state_dict``, ``check_state``, ``load_state_dict``
    Properties:
        ``shapes``, ``row_bytes``, ``slot_bytes``, ``layout``
    """

    def __init__(self, shapes: Shapes, n_rows: int, n_slots: int, dtype: type) -> None:
        """
        Arguments:
            - shapes: from ``row_shapes``
            - n_rows: size of the storage, C
            - n_slots: most samples at a time
            - dtype: of features that are no bits, and of hidden states: np.float16 or np.float32
        """
        self._shapes = shapes
        self._columns = {name: ColumnStore(name, shapes[name], n_rows, dtype) for name in _COLUMNS}
        n_mask_bytes = (int(np.prod(shapes['action_mask'])) + 7) // 8
        action_dtype = np.uint8 if shapes['action_mask'][-1] <= 256 else np.int16
        self._plain = {
            'action_mask': np.empty((n_rows, n_mask_bytes), dtype=np.uint8),
            'action': np.empty((n_rows, *shapes['action']), dtype=action_dtype),
            'reward': np.empty(n_rows, dtype=np.float32),
            'terminated': np.empty(n_rows, dtype=np.uint8),
            'truncated': np.empty(n_rows, dtype=np.uint8),
            'mask': np.empty(n_rows, dtype=np.uint8),
        }
        if self._has_hidden_state:
            # [slots, N, L, H]
            self._hidden_state: np.ndarray = np.empty((n_slots, *shapes['hidden_state']), dtype=dtype)

    @property
    def shapes(self) -> Shapes:
        """As given at the start."""
        return self._shapes

    @property
    def row_bytes(self) -> int:
        """Size of a row, [bytes]."""
        return sum(store.row_bytes for store in self._columns.values()) + sum(a[0].nbytes for a in self._plain.values())

    @property
    def slot_bytes(self) -> int:
        """Size of a sample's hidden state, [bytes]."""
        return self._hidden_state[0].nbytes if self._has_hidden_state else 0

    @property
    def layout(self) -> str:
        """How many features are bits, for the log."""
        return ', '.join(f'{c.n_bit_columns} of {self._shapes[n][-1]} {n} features' for n, c in self._columns.items())

    def check(self, sample: Arrays) -> None:
        """ValueError if a sample has other fields or shapes than the first one, or flags that are neither 0 nor 1."""
        if sample.keys() != self._shapes.keys():
            raise ValueError(f'EpisodeBuffer: sample has {sorted(sample)}, expected {sorted(self._shapes)}')
        n_steps = len(sample['mask'])
        if n_steps == 0:
            raise ValueError('EpisodeBuffer: sample has no step, expected at least 1')
        for name, array in sample.items():
            timed = () if name == 'hidden_state' else (n_steps + (name in _SEEN), )
            if array.shape != (*timed, *self._shapes[name]):
                raise ValueError(
                    f'EpisodeBuffer: {name} of a sample of {n_steps} steps has shape {array.shape}, expected '
                    f'{(*timed, *self._shapes[name])}'
                )
        for name in _FLAGS:
            if not ((sample[name] == 0.) | (sample[name] == 1.)).all():
                raise ValueError(f'EpisodeBuffer: {name} holds {sample[name].tolist()}, expected 0. and 1.')

    def cover(self, samples: list[Arrays], n_used: int) -> int:
        """Make sure that checked samples can be written; return how many columns are bits no longer."""
        return sum(store.cover([s[name] for s in samples], n_used) for name, store in self._columns.items())

    def write(self, first: int, slot: int, sample: Arrays) -> None:
        """Store a sample that is checked and covered, from row ``first`` on."""
        for name, store in self._columns.items():
            store.write(first, sample[name])
        mask = sample['action_mask']
        stored = {**sample, 'action_mask': np.packbits(mask.reshape(len(mask), -1), axis=1)}
        for name, rows in self._plain.items():
            rows[first:first + len(stored[name])] = stored[name]
        if self._has_hidden_state:
            self._hidden_state[slot] = sample['hidden_state']

    def read(self, first: np.ndarray, n_steps: np.ndarray, slots: np.ndarray) -> EpisodeBatch:
        """
        Overview:
            Copy samples out, padded to the longest: [T + 1, B, ...] for obs, state, action_mask, [T, B, ...] else.
            Padding repeats the last row, with mask 0.
        Shapes:
            - first, n_steps, slots: int64 [B], first rows, lengths [env steps] and slots
        """
        t = np.arange(n_steps.max() + 1)[:, None]  # [T + 1, 1]
        seen = first + np.minimum(t, n_steps)  # [T + 1, B]
        done = first + np.minimum(t[:-1], n_steps - 1)  # [T, B]
        plain = {name: self._plain[name][done] for name in ('action', 'reward', *_FLAGS)}
        return EpisodeBatch(
            obs=self._read_columns('obs', seen),
            state=self._read_columns('state', seen),
            action_mask=self._read_action_mask(seen),
            action=torch.from_numpy(plain['action']).long(),
            reward=torch.from_numpy(plain['reward']),
            terminated=torch.from_numpy(plain['terminated']).float(),
            truncated=torch.from_numpy(plain['truncated']).float(),
            mask=torch.from_numpy(plain['mask'] * (t[:-1] < n_steps)).float(),
            length=torch.from_numpy(n_steps),
            hidden_state=torch.from_numpy(self._hidden_state[slots]).float() if self._has_hidden_state else None,
        )

    def read_sample(self, first: int, n_steps: int, slot: int) -> Arrays:
        """Copy one sample out, as it was written."""
        batch = self.read(np.array([first]), np.array([n_steps]), np.array([slot]))
        return sample_arrays(
            {
                name: value[0] if name == 'hidden_state' else value[:, 0]
                for name, value in batch._asdict().items() if name in self._shapes
            }
        )

    def adopt(self, state_dict: dict[str, Tensor], n_used: int) -> None:
        """Make sure that all samples of another store's ``state_dict`` can be written."""
        for name, store in self._columns.items():
            store.adopt(state_dict[f'{name}.is_real'].numpy(), n_used)

    def blank(self, n_used: int) -> None:
        """Make the first rows readable that were not written yet."""
        for store in self._columns.values():
            store.blank(n_used)

    def state_dict(self, rows: Union[int, np.ndarray], slots: np.ndarray) -> dict[str, Tensor]:
        """Return a copy of the rows, int64 [R] or the first so many, and of the hidden states in ``slots``."""
        picked = slice(rows) if isinstance(rows, int) else rows
        state = {name: torch.from_numpy(stored[picked].copy()) for name, stored in self._plain.items()}
        for name, store in self._columns.items():
            state.update({f'{name}.{part}': value for part, value in store.state_dict(rows).items()})
        if self._has_hidden_state:
            state['hidden_state'] = torch.from_numpy(self._hidden_state[slots])
        return state

    def check_state(self, state_dict: dict[str, Tensor], n_rows: int, n_slots: int) -> None:
        """ValueError unless a ``state_dict`` has so many rows and hidden states, of the right shapes and types."""
        expected = {name: (rows.dtype, rows.shape[1:]) for name, rows in self._plain.items()}
        columns = [f'{name}.{part}' for name in self._columns for part in COLUMN_PARTS]
        check_entries('EpisodeBuffer: storage', state_dict, (*expected, *columns))
        for name, (dtype, shape) in expected.items():
            check_tensor(f'EpisodeBuffer: {name}', state_dict[name], _TORCH_DTYPES[dtype.type], (n_rows, *shape))
        for name, store in self._columns.items():
            store.check_state({part: state_dict[f'{name}.{part}'] for part in COLUMN_PARTS}, n_rows)
        if self._has_hidden_state:
            check_entries('EpisodeBuffer: storage', state_dict, ('hidden_state', ))
            dtype, shape = self._hidden_state.dtype.type, (n_slots, *self._shapes['hidden_state'])
            check_tensor('EpisodeBuffer: hidden_state', state_dict['hidden_state'], _TORCH_DTYPES[dtype], shape)

    def load_state_dict(self, state_dict: dict[str, Tensor], slots: np.ndarray, n_rows: int) -> None:
        """Restore ``state_dict`` of so many rows; the hidden states go into ``slots``. ValueError if it is damaged."""
        self.check_state(state_dict, n_rows, len(slots))
        for name, rows in self._plain.items():
            rows[:len(state_dict[name])] = state_dict[name].numpy()
        for name, store in self._columns.items():
            store.load_state_dict({part: state_dict[f'{name}.{part}'] for part in COLUMN_PARTS})
        if self._has_hidden_state:
            self._hidden_state[slots] = state_dict['hidden_state'].numpy()

    @property
    def _has_hidden_state(self) -> bool:
        return 'hidden_state' in self._shapes

    def _read_columns(self, name: str, rows: np.ndarray) -> Tensor:
        """Features of the rows int64 [T + 1, B], float32 [T + 1, B, ...]."""
        values = torch.empty((*rows.shape, *self._shapes[name]))
        self._columns[name].read(rows.reshape(-1), values.view(rows.size, *self._shapes[name]).numpy())
        return values

    def _read_action_mask(self, rows: np.ndarray) -> Tensor:
        """Action masks of the rows int64 [T + 1, B], bool [T + 1, B, N, A]."""
        shape = self._shapes['action_mask']
        bits = np.unpackbits(self._plain['action_mask'][rows], axis=-1, count=int(np.prod(shape)))
        return torch.from_numpy(bits.view(np.bool_).reshape(*rows.shape, *shape))
