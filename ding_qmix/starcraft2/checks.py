"""Checks of what a caller asks. What is wrong is named; nothing is silently repaired."""
import numpy as np


def check_actions(actions: np.ndarray, action_mask: np.ndarray, env_ids: np.ndarray, map_name: str) -> np.ndarray:
    """
    Overview:
        Return actions as int64 [E, N], those of ``env_ids`` (int [K]) legal by the mask, bool [E, N, A].
    Raises:
        - TypeError, ValueError: no integers, another shape, or an illegal action
    """
    actions = np.asarray(actions)
    if actions.dtype.kind not in 'iu':
        raise TypeError(f'actions must be integers, got dtype {actions.dtype}')
    n_actions = action_mask.shape[2]
    if actions.shape != action_mask.shape[:2]:
        raise ValueError(f'actions must have shape [n_envs, n_agents] = {action_mask.shape[:2]}, got {actions.shape}')
    actions = actions.astype(np.int64)
    given, mask = actions[env_ids], action_mask[env_ids]
    in_range = (given >= 0) & (given < n_actions)
    legal = in_range & np.take_along_axis(mask, np.where(in_range, given, 0)[:, :, None], axis=2)[:, :, 0]
    if not legal.all():
        k, agent = np.argwhere(~legal)[0]
        raise ValueError(
            f'illegal action {given[k, agent]} of agent {agent} in env {env_ids[k]} (map {map_name}); '
            f'legal actions: {np.flatnonzero(mask[k, agent]).tolist()}'
        )
    return actions


def check_seeds(seeds: np.ndarray, n_envs: int) -> list[int]:
    """Return one seed per env. ValueError for another number of them, or a seed that is not a uint64."""
    given = np.atleast_1d(np.asarray(seeds))
    if given.shape != (n_envs, ):
        raise ValueError(f'seed: got {given.size} seeds for {n_envs} envs; give one per env')
    for seed in given.tolist():
        if not isinstance(seed, int) or not 0 <= seed < 2 ** 64:
            raise ValueError(f'seed must be in 0..2**64 - 1, got {seed}')
    return given.tolist()
