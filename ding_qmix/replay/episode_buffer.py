import os
from collections import deque
from typing import Any, ClassVar, Optional, Union

import numpy as np
import torch
from ding.utils import BUFFER_REGISTRY, build_logger
from ding.worker.replay_buffer import IBuffer
from easydict import EasyDict
from tensorboardX import SummaryWriter
from torch import Tensor

from ding_qmix.replay.priority_table import PriorityTable
from ding_qmix.replay.row_allocator import RowAllocator
from ding_qmix.replay.row_store import Arrays, RowStore, Shapes, row_shapes, sample_arrays
from ding_qmix.replay.segment import Stored, check_lengths, segment_of, segment_samples
from ding_qmix.replay.size_text import expected_size, row_size
from ding_qmix.replay.state_check import BufferLayout, check_buffer_state
from ding_qmix.run_state import DETAIL, RunState
from ding_qmix.schema import FLAG, TEXT, Key, Schema, check_section, choice, defaults, integer, number
from ding_qmix.schema.ding_engine import BUFFER_REST, PART, REPLAY_BUFFER_SIZE
from ding_qmix.spec import EpisodeBatch, PrioritizedBatch
from ding_qmix.utils.threads import one_torch_thread

_ROWS_PER_SAMPLE = 64  # [env steps], typical length of SMAC's battles
_DTYPES: dict[str, type] = {'float16': np.float16, 'float32': np.float32}


@BUFFER_REGISTRY.register('ding_qmix_episode')
class EpisodeBuffer(IBuffer):
    """
    Overview:
        Replay buffer for whole episodes or chunks. Storage is laid out once, in compact types (``RowStore``), and
        samples take exactly the rows they need. Sampling is uniform, without replacement within a batch; or, with
        ``priority``, proportional to the priorities that the learner hands back (``PriorityTable``).
    Interfaces:
        ``push``, ``sample``, ``update``, ``clear``, ``count``, ``state_dict``, ``load_state_dict``, ``save_data``,
        ``load_data``; for saves in segments ``index_state_dict``, ``samples_state_dict``, ``load_samples``
    Config:
        ``config`` below, each key with its type, unit and meaning.
    """
    schema: ClassVar[Schema] = dict(
        PART,
        type=Key('ding_qmix_episode', TEXT),
        # Capacity: episodes, or chunks if collect.unroll_len is set. The oldest leave first.
        replay_buffer_size=Key(5000, REPLAY_BUFFER_SIZE),
        # Capacity; 0 is 64 per sample. When rows run out the oldest samples leave as well.
        max_rows=Key(0, integer(0, 10 ** 9, 'env steps')),
        # Type of what is stored of obs, state and hidden states beside bits. Features lie in [-1.5, 1.5], so float16
        # is off by 5e-4 at most.
        obs_dtype=Key('float16', choice(*_DTYPES)),
        # Sample in proportion to TD errors (arXiv:1511.05952); policy.priority must be set as well.
        priority=Key(False, FLAG),
        # Exponent of priorities: 0 samples uniformly, 1 in full proportion.
        alpha=Key(0.6, number(0., 100.)),
        # Exponent of the importance weights at the start; 1 takes the whole bias away.
        beta=Key(0.4, number(0., 1.)),
        # Until beta has grown to 1, in equal steps; 0 leaves it as it is.
        anneal_step=Key(int(1e5), integer(0, 10 ** 12, 'train iters')),
        **BUFFER_REST,
    )
    config = defaults(schema)

    def __init__(
            self,
            cfg: EasyDict,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'buffer',
    ) -> None:
        """As DI-engine's buffers. Storage is laid out when the first push shows the shapes."""
        self.check_config(cfg)
        self._cfg = cfg
        self._logger, _ = build_logger(os.path.join('.', exp_name, 'log', instance_name), instance_name, need_tb=False)
        self._generator = torch.Generator().manual_seed(int(torch.randint(2 ** 62, ())))
        table = PriorityTable(cfg.replay_buffer_size, cfg.alpha, cfg.beta, cfg.anneal_step)
        self._priorities = table if cfg.priority else None
        self._store: Optional[RowStore] = None
        self._next_id = 0  # samples pushed so far; a sample's id is their number before it
        self.clear()
        RunState.of(tb_logger).join(instance_name, self)

    @classmethod
    def check_config(cls, given: Any, path: str = 'policy.other.replay_buffer') -> None:
        """Check this part's section of a config, or what is given of it: ValueError names the key's path."""
        check_section(path, given, cls.schema)

    @one_torch_thread()
    def push(self, data: list[dict[str, Tensor]], cur_collector_envstep: int = -1) -> None:
        """
        Overview:
            Store samples; the oldest are dropped for them.
        Arguments:
            - data: samples as ``QMIXPolicy`` makes them: fields of EpisodeBatch without the batch axis
        Raises:
            - ValueError: a sample is longer than the whole storage, has other fields or shapes than the first one,
              flags that are neither 0 nor 1, or features beyond float16; then nothing is stored
        """
        if not data:
            return
        samples = [sample_arrays(sample) for sample in data]
        store = self._store or self._new_store(row_shapes(samples[0]))
        for sample in samples:
            store.check(sample)
            self._check_length(len(sample['mask']) + 1)
        n_promoted = store.cover(samples, self._rows.n_used)
        if self._store is None:
            self._store = store
            mean_rows = sum(len(s['mask']) + 1 for s in samples) / len(samples)
            size = expected_size(store, self._cfg.replay_buffer_size, self._n_rows(), mean_rows)
            self._logger.info(size, extra=DETAIL)
        elif n_promoted > 0:
            self._logger.info(f'replay buffer: {n_promoted} more features are no bits; {row_size(store)}', extra=DETAIL)
        for sample in samples:
            self._push_one(store, sample)

    @one_torch_thread()
    def sample(self, batch_size: int, cur_learner_iter: int = -1) -> Union[EpisodeBatch, PrioritizedBatch, None]:
        """
        Overview:
            Return a batch, the longest sample first, or None while fewer than ``batch_size`` are stored.
        Returns:
            - batch: without ``priority``, an EpisodeBatch of different samples, all equally likely; with it, a
              PrioritizedBatch, whose samples may come more than once and have importance weights
        """
        if batch_size > self.count() or self._store is None:
            return None
        weight = None
        if self._priorities is None:
            picks = torch.randperm(self.count(), generator=self._generator)[:batch_size]
        else:
            picks, weight = self._priorities.draw(torch.from_numpy(self._slots()), batch_size, self._generator)
        stored = [self._samples[i] for i in picks.tolist()]
        n_steps = torch.tensor([s.n_steps for s in stored])  # [B]
        order = n_steps.argsort(descending=True, stable=True)  # as the learner wants them
        first = torch.tensor([s.first for s in stored])[order]  # [B]
        slots = self._slots()[picks[order].numpy()]
        batch = self._store.read(first.numpy(), n_steps[order].numpy(), slots)
        if weight is None:
            return batch
        return PrioritizedBatch(batch._replace(weight=weight[order]), (picks[order] + self._oldest_id()).tolist())

    def update(self, info: dict[str, list]) -> None:
        """
        Overview:
            Set the priorities of samples; those that have left meanwhile are passed over. Without ``priority`` there is
            nothing to update.
        Arguments:
            - info: the learner's dict(replay_unique_id, priority)
        Raises:
            - ValueError: a priority is negative or not finite, or there are more or fewer of them than ids
        """
        if self._priorities is None:
            return
        ids, priorities = info['replay_unique_id'], info['priority']
        if len(ids) != len(priorities):
            raise ValueError(f'EpisodeBuffer: {len(priorities)} priorities for {len(ids)} samples, expected one each')
        here = range(self._oldest_id(), self._next_id)
        slots = [i % self._cfg.replay_buffer_size if i in here else None for i in ids]
        self._priorities.update(slots, priorities)

    def clear(self) -> None:
        """Forget all samples; storage, ids and the highest priority so far stay."""
        self._samples: deque[Stored] = deque()
        self._rows = RowAllocator(self._n_rows())

    def count(self) -> int:
        """Return the number of stored samples."""
        return len(self._samples)

    def state_dict(self) -> dict[str, Any]:
        """Return all samples, their places and priorities, and the generator: tensors and plain values."""
        store = self._store
        storage = {} if store is None else store.state_dict(self._rows.n_used, self._slots())
        return {**self.index_state_dict(), 'storage': storage}

    @property
    def sample_ids(self) -> range:
        """Ids of the stored samples, the oldest first."""
        return range(self._oldest_id(), self._next_id)

    def index_state_dict(self) -> dict[str, Any]:
        """Return ``state_dict`` without the samples themselves."""
        store, priorities, slots = self._store, self._priorities, self._slots()
        return {
            'shapes': {} if store is None else {name: list(shape)
                                                for name, shape in store.shapes.items()},
            'storage': {},
            'obs_dtype': self._cfg.obs_dtype,
            'samples': [list(s) for s in self._samples],
            'next_id': self._next_id,
            'rows': self._rows.state_dict(),
            'priorities': None if priorities is None else priorities.state_dict(torch.from_numpy(slots)),
            'generator': self._generator.get_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``; ValueError if it was saved with another size, type or sampling, or is damaged."""
        n_bytes = len(self._generator.get_state())
        cfg, priority = self._cfg, self._priorities is not None
        check_buffer_state(
            state_dict, BufferLayout(cfg.replay_buffer_size, self._n_rows(), cfg.obs_dtype, priority, n_bytes)
        )
        self.clear()
        self._samples.extend(Stored(*s) for s in state_dict['samples'])
        self._next_id = state_dict['next_id']
        self._rows.load_state_dict(state_dict['rows'])
        self._generator.set_state(state_dict['generator'])
        slots = self._slots()
        shapes = {name: tuple(shape) for name, shape in state_dict['shapes'].items()}
        self._store = self._new_store(shapes) if shapes else None
        if self._store is not None and state_dict['storage']:
            self._store.load_state_dict(state_dict['storage'], slots, self._rows.n_used)
        elif self._store is not None:
            self._store.blank(self._rows.n_used)
        if self._priorities is not None:
            self._priorities.load_state_dict(state_dict['priorities'], torch.from_numpy(slots))

    def samples_state_dict(self, ids: range) -> dict[str, Any]:
        """Return stored samples: tensors and plain values."""
        assert self._store is not None  # there are samples
        return segment_of(self._store, self._stored(ids), np.array(ids) % self._cfg.replay_buffer_size)

    def load_samples(self, ids: range, state_dict: dict[str, Any]) -> None:
        """Put samples of ``samples_state_dict`` where the restored index has them; what has left is passed over."""
        store = self._store
        assert store is not None  # as the index says
        lengths = check_lengths(state_dict, len(ids))
        for sample_id, length in zip(ids, lengths):
            if sample_id in self.sample_ids and self._stored(range(sample_id, sample_id + 1))[0].n_steps != length:
                raise ValueError(f'EpisodeBuffer: sample {sample_id} has {length} steps, the index says otherwise')
        samples = segment_samples(store.shapes, state_dict, _DTYPES[self._cfg.obs_dtype])
        store.adopt(state_dict['storage'], self._rows.n_used)
        for sample_id, sample in zip(ids, samples):
            if sample_id in self.sample_ids:
                place, = self._stored(range(sample_id, sample_id + 1))
                store.write(place.first, sample_id % self._cfg.replay_buffer_size, sample)

    def save_data(self, file_name: str) -> None:
        """Write ``state_dict`` to a file."""
        torch.save(self.state_dict(), file_name)

    def load_data(self, file_name: str) -> None:
        """Restore from a file of ``save_data``."""
        self.load_state_dict(torch.load(file_name, weights_only=True))

    def _new_store(self, shapes: Shapes) -> RowStore:
        """Reserve a storage for samples of these shapes."""
        return RowStore(shapes, self._n_rows(), self._cfg.replay_buffer_size, _DTYPES[self._cfg.obs_dtype])

    def _push_one(self, store: RowStore, sample: Arrays) -> None:
        """Store a checked sample; the oldest are dropped for it."""
        n_steps = len(sample['mask'])
        first = self._take_rows(n_steps + 1)
        slot = self._next_id % self._cfg.replay_buffer_size
        store.write(first, slot, sample)
        self._samples.append(Stored(first, n_steps))
        self._next_id += 1
        if self._priorities is not None:
            self._priorities.add(slot)

    def _n_rows(self) -> int:
        """Size of the storage, [rows]."""
        return self._cfg.max_rows or self._cfg.replay_buffer_size * _ROWS_PER_SAMPLE

    def _oldest_id(self) -> int:
        """Samples leave in the order of their ids, so that those of the stored ones have no gap."""
        return self._next_id - self.count()

    def _stored(self, ids: range) -> list[Stored]:
        """Where stored samples lie."""
        return [self._samples[i - self._oldest_id()] for i in ids]

    def _slots(self) -> np.ndarray:
        """Slots of the stored samples, the oldest first: int64 [count]."""
        return np.arange(self._oldest_id(), self._next_id) % self._cfg.replay_buffer_size

    def _check_length(self, n_rows: int) -> None:
        """ValueError if a sample needs more rows than there are."""
        if n_rows > self._n_rows():
            raise ValueError(
                f'EpisodeBuffer: a sample needs {n_rows} rows, the storage has {self._n_rows()}; '
                'raise replay_buffer.max_rows'
            )

    def _take_rows(self, n_rows: int) -> int:
        """Find ``n_rows`` free rows; the oldest samples leave until there are."""
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
