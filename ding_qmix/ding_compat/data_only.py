"""Checkpoints that DI-engine opens for this package's policies are read as data, whatever torch's default is."""
import pickle
import sys
from types import ModuleType
from typing import Any

import torch

# DI-engine's modules that open checkpoints: the learner's hook and CheckpointHelper; `ding -m eval` and demonstrations.
_OPENERS = ('ding.utils.file_helper', 'ding.entry.application_entry', 'ding.entry.application_entry_trex_collect_data')


class _DataOnlyTorch(ModuleType):
    """Module torch, whose ``load`` runs nothing that a file asks for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def load(self, file: Any, *args: Any, **kwargs: Any) -> Any:
        """As torch.load with weights_only=True; ValueError for a file that holds more, or is none."""
        try:
            return torch.load(file, *args, **{'weights_only': True, **kwargs})
        except pickle.UnpicklingError as error:
            raise ValueError(
                f'checkpoint {file!r} holds more than tensors and plain values, or is damaged; it is not read, as it '
                'might run code'
            ) from error


def open_checkpoints_as_data() -> None:
    """
    Overview:
        From now on let DI-engine's modules that open checkpoints read tensors and plain values only. They leave
        weights_only to torch, which before version 2.6 runs what a file asks for.
    """
    for name in _OPENERS:
        module = sys.modules.get(name)
        if module is not None and vars(module).get('torch') is torch:
            vars(module)['torch'] = _DataOnlyTorch('torch')
