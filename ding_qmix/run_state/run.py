"""
The whole state of a training run beside the policy's checkpoint: envs, buffer, counters, generators. DI-engine's serial
pipeline hands one TensorBoard writer to learner, collector, evaluator and buffer, so the run's state is kept on it.
"""
import random
from collections.abc import MutableMapping
from typing import Any, Optional, Protocol, runtime_checkable
from weakref import WeakValueDictionary

import numpy as np
import torch
from tensorboardX import SummaryWriter

from ding_qmix.run_state.checks import check_count, check_entries, check_tensor
from ding_qmix.run_state.progress import RunProgress

_N_KEYS = 624  # words of NumPy's Mersenne Twister, which does not check the position among them


class RunPart(Protocol):
    """A part of a run that changes while it runs."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes: tensors and plain Python values only."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""


@runtime_checkable
class SampleLog(Protocol):
    """A part too large to be saved as a whole: samples that come and leave in the order of their ids."""

    @property
    def sample_ids(self) -> range:
        """Ids of the stored samples."""

    def index_state_dict(self) -> dict[str, Any]:
        """Return ``state_dict`` without the samples; ``load_state_dict`` takes it as well."""

    def samples_state_dict(self, ids: range) -> dict[str, Any]:
        """Return stored samples."""

    def load_samples(self, ids: range, state_dict: dict[str, Any]) -> None:
        """Restore those samples of ``samples_state_dict`` that the index has."""


class RunState:
    """
    Overview:
        The parts of one run, and their state together with that of the process-wide generators.
    Interfaces:
        ``of``, ``join``, ``save_if_due``, ``state_dict``, ``load_state_dict``
    Properties:
        ``part_names``, ``sample_logs``, ``env_step``, ``progress``
    """

    def __init__(self) -> None:
        self._parts: MutableMapping[str, RunPart] = WeakValueDictionary()  # keeps no part alive
        self.progress = RunProgress()
        self.saver: Any = None  # hooks.RunSaver, once the learner's hooks have made it

    @classmethod
    def of(cls, tb_logger: Optional[SummaryWriter]) -> 'RunState':
        """
        Overview:
            Return the run whose parts write to ``tb_logger``; the first call makes it. Without a writer, as in
            DI-engine's processes of rank > 0 or for parts used on their own, return a run that nobody else finds.
        """
        return cls() if tb_logger is None else vars(tb_logger).setdefault('ding_qmix_run_state', cls())

    @property
    def part_names(self) -> list[str]:
        """Names of the parts that there are, sorted."""
        return sorted(self._parts)

    @property
    def sample_logs(self) -> dict[str, SampleLog]:
        """Parts that are saved in segments."""
        return {name: part for name, part in sorted(self._parts.items()) if isinstance(part, SampleLog)}

    @property
    def env_step(self) -> int:
        """Env steps collected so far, 0 if no part tells."""
        return max((part.envstep for part in self._parts.values() if hasattr(part, 'envstep')), default=0)

    def save_if_due(self) -> None:
        """Between two updates: let the run be saved, if it is time."""
        if self.saver is not None:
            self.saver.save_if_due()

    def join(self, name: str, part: RunPart) -> None:
        """Make the state of ``part`` belong to the run's."""
        self._parts[name] = part

    def state_dict(self, samples: bool = True) -> dict[str, Any]:
        """Return the state of all parts, with or without samples, and of torch's, NumPy's and Python's generators."""
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002, DI-engine draws from it
        keys = torch.from_numpy(numpy['state']['key'].astype(np.int64))
        return {
            'parts': {
                name: part.index_state_dict() if isinstance(part, SampleLog) and not samples else part.state_dict()
                for name, part in sorted(self._parts.items())
            },
            'torch': torch.get_rng_state(),
            'numpy': [numpy['bit_generator'], keys, numpy['state']['pos'], numpy['has_gauss'], numpy['gauss']],
            'random': [list(random.getstate()[1]), random.getstate()[2]],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """
        Overview:
            Restore ``state_dict``.
        Raises:
            - ValueError: the run has other parts than were saved
        """
        check_entries('run state', state_dict, ('parts', 'torch', 'numpy', 'random'))
        saved = state_dict['parts']
        if self.part_names != sorted(saved):
            raise ValueError(
                f'run state: saved with parts {sorted(saved)}, now the run has {self.part_names}; resume with the '
                'collector, evaluator and buffer of the saved run, or remove its ckpt/run_state to begin anew'
            )
        algorithm, keys, position, has_gauss, gauss = state_dict['numpy']
        check_tensor('run state: numpy', keys, torch.int64, (_N_KEYS, ))
        check_count('run state: numpy', position, 0, _N_KEYS)
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
        torch.set_rng_state(state_dict['torch'])
        np.random.set_state((algorithm, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
        words, gauss_next = state_dict['random']
        random.setstate((random.getstate()[0], tuple(words), gauss_next))
