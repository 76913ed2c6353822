"""Checks of saved state before it is restored: what is damaged is named, and nothing has changed then."""
from collections.abc import Iterable, Mapping
from typing import Any, Optional

import torch


def check_entries(where: str, state_dict: Any, names: Iterable[str]) -> None:
    """ValueError unless a state is a dict that has these entries."""
    if not isinstance(state_dict, Mapping):
        raise ValueError(f'{where}: a state of type {type(state_dict).__name__}, expected a dict; is the file damaged?')
    missing = sorted(set(names) - state_dict.keys())
    if missing:
        raise ValueError(f'{where}: a state without {", ".join(missing)}; saved by another version, or damaged?')


def check_count(where: str, value: Any, low: int = 0, high: Optional[int] = None) -> int:
    """Return an integer in [low, high], or raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        limit = f'of {low} or more' if high is None else f'from {low} to {high}'
        raise ValueError(f'{where}: {value!r}, expected an integer {limit}; is the file damaged?')
    return value


def check_tensor(where: str, value: Any, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a tensor of exactly this dtype and shape, or raise ValueError."""
    found = (value.dtype, tuple(value.shape)) if isinstance(value, torch.Tensor) else type(value).__name__
    if found != (dtype, shape):
        raise ValueError(f'{where}: {found}, expected a tensor of {dtype} and shape {shape}; is the file damaged?')
    return value
