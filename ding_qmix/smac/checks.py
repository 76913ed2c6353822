"""Checks at the border of a battlefield. What is wrong is named; nothing is silently repaired."""
import difflib
from typing import Any

import numpy as np

from ding_qmix.schema import check_value
from ding_qmix.smac.action_options import ActionOptions, make_action_options
from ding_qmix.smac.reward import REWARD_RULES, RewardOptions
from ding_qmix.smac.view_options import ViewOptions, make_view_options


def check_array(name: str, value: np.ndarray, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of exactly this dtype and shape."""
    value = np.asarray(value)
    if value.dtype != dtype:
        raise TypeError(f'{name} must have dtype {np.dtype(dtype)}, got {value.dtype}')
    if value.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {value.shape}')
    return np.ascontiguousarray(value)


def check_env_ids(env_ids: np.ndarray, n_envs: int) -> np.ndarray:
    """Return env ids as int64 [k]."""
    ids = np.atleast_1d(np.asarray(env_ids))
    if ids.size and not np.issubdtype(ids.dtype, np.integer):
        raise TypeError(f'env_ids must be integers, got dtype {ids.dtype}')
    bad = ids[(ids < 0) | (ids >= n_envs)]
    if bad.size:
        raise IndexError(f'env id {int(bad[0])} is out of range: there are {n_envs} envs')
    return ids.astype(np.int64)


def make_smac_options(given: dict[str, Any]) -> tuple[RewardOptions, ViewOptions, ActionOptions]:
    """Return SMAC's options of reward, of obs and state, and of actions with some of them set."""
    rewards = RewardOptions()._asdict()
    known = [*rewards, *ViewOptions._fields, *ActionOptions._fields]
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.)[0]
            raise TypeError(f'unknown option {name!r}; did you mean {near!r}? Options: {", ".join(known)}')
        if name in rewards:
            rewards[name] = like_default(name, value, rewards[name])
            check_value(f'env.{name}', rewards[name], REWARD_RULES[name])
    actions = {name: given[name] for name in ActionOptions._fields if name in given}
    return RewardOptions(**rewards), make_view_options(given), make_action_options(**actions)


def like_default(name: str, value: Any, default: Any) -> Any:
    """Return a value in the type of its default: compiled code knows no other."""
    allowed = (bool, np.bool_) if isinstance(default, bool) else (int, float, np.integer, np.floating)
    if not isinstance(value, allowed) or isinstance(value, bool) != isinstance(default, bool):
        raise TypeError(f'{name} must be a {type(default).__name__}, got {value!r}')
    if isinstance(default, int) and isinstance(value, (float, np.floating)) and not float(value).is_integer():
        raise TypeError(f'{name} must be a {type(default).__name__}, got {value!r}')
    return type(default)(value)
