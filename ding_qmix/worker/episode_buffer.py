from collections import deque
from typing import Any, Deque, Dict, List, NamedTuple, Optional

import torch
from ding.utils import BUFFER_REGISTRY, build_logger
from ding.worker.replay_buffer import IBuffer
from easydict import EasyDict
from tensorboardX import SummaryWriter
from torch import Tensor

from ding_qmix.spec import EpisodeBatch
from ding_qmix.utils.keys import check_keys
from ding_qmix.utils.threads import one_torch_thread
from ding_qmix.worker.row_allocator import RowAllocator
from ding_qmix.worker.run_state import join_run

_ROWS_PER_SAMPLE = 64  # [env steps], typical length of SMAC's battles
_DTYPES = {'float16': torch.float16, 'float32': torch.float32}


class _Stored(NamedTuple):
    """Where a sample lies: T steps in rows first .. first + T, the last of them without an action."""
    first: int
    n_steps: int


@BUFFER_REGISTRY.register('ding_qmix_episode')
class EpisodeBuffer(IBuffer):
    """
    Overview:
        Replay buffer for whole episodes or chunks. Storage is laid out once, in compact types, and samples take exactly
        the rows they need; a batch is one indexed copy a field. Uniform sampling without replacement within a batch.
    Interfaces:
        ``push``, ``sample``, ``clear``, ``count``, ``state_dict``, ``load_state_dict``, ``save_data``, ``load_data``
    Config:
        == ======================= ======= ============== ================================================
        ID Symbol                  Type    Default Value  Description
        == ======================= ======= ============== ================================================
        1  ``replay_buffer_size``  int     5000           Capacity, [samples]: episodes or chunks
        2  ``max_rows``            int     0              Capacity, [env steps]; 0 is 64 a sample. What SMAC's
                                                          episodes leave free is reserved, but never touched
        3  ``obs_dtype``           str     float16        Type of stored obs and state: float16 or float32
        == ======================= ======= ============== ================================================
    """
    config = dict(
        type='ding_qmix_episode',
        # (int) [samples] Capacity: episodes, or chunks if collect.unroll_len is set. The oldest leave first.
        replay_buffer_size=5000,
        # (int) [env steps] Capacity; 0 is 64 a sample. When rows run out the oldest samples leave as well.
        max_rows=0,
        # (str) Type of stored obs and state; features lie in [-1.5, 1.5], so float16 is off by 5e-4 at most.
        obs_dtype='float16',
    )

    def __init__(
            self,
            cfg: EasyDict,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'buffer',
    ) -> None:
        """As DI-engine's buffers. Storage is laid out when the first sample shows the shapes."""
        check_keys('policy.other.replay_buffer', cfg, {*self.config, 'cfg_type', 'import_names'})
        if cfg.obs_dtype not in _DTYPES:
            raise ValueError(f'config replay_buffer.obs_dtype: {cfg.obs_dtype!r}, expected one of {tuple(_DTYPES)}')
        if cfg.replay_buffer_size < 1 or cfg.max_rows < 0:
            raise ValueError(
                f'config replay_buffer: replay_buffer_size={cfg.replay_buffer_size}, max_rows={cfg.max_rows}, '
                'expected at least 1 sample and 0 or more rows'
            )
        self._cfg = cfg
        self._logger, _ = build_logger(f'./{exp_name}/log/{instance_name}', instance_name, need_tb=False)
        self._generator = torch.Generator().manual_seed(int(torch.randint(2 ** 62, ())))
        self._storage: Dict[str, Tensor] = {}
        self.clear()
        join_run(exp_name, instance_name, self)

    @one_torch_thread()
    def push(self, data: List[Dict[str, Tensor]], cur_collector_envstep: int = -1) -> None:
        """
        Overview:
            Store samples; the oldest make room.
        Arguments:
            - data: samples as ``QMIXPolicy`` makes them: fields of EpisodeBatch without the batch axis
        Raises:
            - ValueError: a sample is longer than the whole storage, or has other fields than the first one
        """
        for sample in data:
            n_steps = len(sample['mask'])
            if not self._storage:
                self._lay_out(sample)
            if sample.keys() != self._storage.keys():
                raise ValueError(f'EpisodeBuffer: sample has {sorted(sample)}, expected {sorted(self._storage)}')
            first = self._make_room(n_steps + 1)
            for name, rows in self._storage.items():
                value = sample[name].unsqueeze(0) if name == 'hidden_state' else sample[name]
                rows[first:first + len(value)] = value
            self._samples.append(_Stored(first, n_steps))

    @one_torch_thread()
    def sample(self, batch_size: int, cur_learner_iter: int = -1) -> Optional[EpisodeBatch]:
        """Return a batch of ``batch_size`` different samples, or None while there are fewer."""
        if batch_size > self.count():
            return None
        picks = torch.randperm(self.count(), generator=self._generator)[:batch_size].tolist()
        stored = sorted((self._samples[i] for i in picks), key=lambda s: -s.n_steps)  # as the learner wants them
        first = torch.tensor([s.first for s in stored])  # [B]
        n_steps = torch.tensor([s.n_steps for s in stored])  # [B]
        return self._gather(first, n_steps)

    def update(self, info: Dict[str, list]) -> None:
        """Nothing to update: sampling is uniform."""

    def clear(self) -> None:
        """Forget all samples; the storage stays."""
        self._samples: Deque[_Stored] = deque()
        self._rows = RowAllocator(len(self._storage['reward']) if self._storage else 0)

    def count(self) -> int:
        """Return the number of stored samples."""
        return len(self._samples)

    def state_dict(self) -> Dict[str, Any]:
        """Return all samples, their places and the generator: tensors and plain values."""
        n_used = max((s.first + s.n_steps + 1 for s in self._samples), default=0)
        return {
            'storage': {name: rows[:n_used].clone() for name, rows in self._storage.items()},
            'samples': [list(s) for s in self._samples],
            'rows': self._rows.state_dict(),
            'generator': self._generator.get_state(),
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Restore ``state_dict``; ValueError if the storage's size or type is another one."""
        n_rows, storage = state_dict['rows']['n_rows'], state_dict['storage']
        given = (n_rows, storage['obs'].dtype) if storage else None
        expected = (self._n_rows(), _DTYPES[self._cfg.obs_dtype])
        if given not in (None, expected):
            raise ValueError(f'EpisodeBuffer: state with (rows, obs_dtype) {given}, this buffer has {expected}')
        self._storage = {
            name: torch.empty((n_rows, *rows.shape[1:]), dtype=rows.dtype)
            for name, rows in storage.items()
        }
        for name, rows in storage.items():
            self._storage[name][:len(rows)] = rows
        self.clear()
        self._rows.load_state_dict(state_dict['rows'])
        self._samples.extend(_Stored(*s) for s in state_dict['samples'])
        self._generator.set_state(state_dict['generator'])

    def save_data(self, file_name: str) -> None:
        """Write ``state_dict`` to a file."""
        torch.save(self.state_dict(), file_name)

    def load_data(self, file_name: str) -> None:
        """Restore from a file of ``save_data``."""
        self.load_state_dict(torch.load(file_name, weights_only=True))

    def _lay_out(self, sample: Dict[str, Tensor]) -> None:
        """Reserve the storage; pages that no sample touches cost no memory."""
        action_dtype = torch.uint8 if sample['action_mask'].shape[-1] <= 256 else torch.int16
        obs_dtype = _DTYPES[self._cfg.obs_dtype]
        compact = {'obs': obs_dtype, 'state': obs_dtype, 'action': action_dtype}
        n_rows = self._n_rows()
        for name, value in sample.items():
            shape = value.shape if name == 'hidden_state' else value.shape[1:]
            self._storage[name] = torch.empty((n_rows, *shape), dtype=compact.get(name, value.dtype))
        self._rows = RowAllocator(n_rows)
        row_bytes = sum(rows[0].nbytes for rows in self._storage.values())
        self._logger.info(
            f'replay buffer: room for {self._cfg.replay_buffer_size:,} samples in {n_rows:,} rows of {row_bytes:,} '
            f'bytes, {n_rows * row_bytes / 2 ** 20:,.0f} MiB when all rows are taken'
        )

    def _n_rows(self) -> int:
        """Size of the storage, [rows]."""
        return self._cfg.max_rows or self._cfg.replay_buffer_size * _ROWS_PER_SAMPLE

    def _make_room(self, n_rows: int) -> int:
        """Find ``n_rows`` free rows; the oldest samples leave until there are."""
        if n_rows > self._n_rows():
            raise ValueError(
                f'EpisodeBuffer: a sample needs {n_rows} rows, the storage has {self._n_rows()}; '
                'raise replay_buffer.max_rows'
            )
        while self.count() >= self._cfg.replay_buffer_size:
            self._drop_oldest()
        while True:
            first = self._rows.allocate(n_rows)
            if first is not None:
                return first
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._samples.popleft()
        self._rows.free(oldest.first, oldest.n_steps + 1)

    def _gather(self, first: Tensor, n_steps: Tensor) -> EpisodeBatch:
        """Copy samples out, padded to the longest: [T + 1, B, ...] for obs, state, action_mask, [T, B, ...] else."""
        t = torch.arange(int(n_steps.max()) + 1).unsqueeze(1)  # [T + 1, 1]
        seen = first + torch.minimum(t, n_steps)  # [T + 1, B], padding repeats the last row
        done = first + torch.minimum(t[:-1], n_steps - 1)  # [T, B]
        batch = {name: self._storage[name][seen] for name in ('obs', 'state', 'action_mask')}
        timed = ('action', 'reward', 'terminated', 'truncated', 'mask')
        batch.update({name: self._storage[name][done] for name in timed})
        batch['obs'], batch['state'] = batch['obs'].float(), batch['state'].float()
        batch['action'] = batch['action'].long()
        batch['mask'] = batch['mask'] * (t[:-1] < n_steps)
        if 'hidden_state' in self._storage:
            batch['hidden_state'] = self._storage['hidden_state'][first]  # [B, N, L, H]
        return EpisodeBatch(**batch)
