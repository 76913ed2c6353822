"""
Training samples to a batch. A sample is a dict with the fields of EpisodeBatch without the batch axis: a whole episode
or a chunk of one, of exact length. DI-engine's own samples, dicts of lists over time, are turned into it first.
"""
from typing import Any

import torch
from torch import Tensor

from ding_qmix.ding_compat.hidden_state import to_hidden_state
from ding_qmix.spec import EpisodeBatch

Sample = dict[str, Any]
_DING_OBS = {'obs': 'agent_state', 'state': 'global_state', 'action_mask': 'action_mask'}
_TIMED = ('action', 'reward', 'terminated', 'truncated', 'mask')  # one row per step, where _DING_OBS have one more


def make_transition(obs: Any, policy_output: dict[str, Tensor], timestep: Any) -> dict[str, Any]:
    """
    Overview:
        Join what DI-engine's collector knows of one step. ``truncated`` comes from the env's info; without it every end
        is a decided one.
    Arguments:
        - obs: before the step
        - policy_output: dict(action, prev_state)
        - timestep: the env's
    """
    truncated = bool(timestep.info.get('truncated', False))
    return {
        'obs': obs,
        'next_obs': timestep.obs,
        'prev_state': policy_output['prev_state'],
        'action': policy_output['action'],
        'reward': timestep.reward,
        'done': timestep.done,
        'terminated': bool(timestep.done) and not truncated,
        'truncated': truncated,
    }


def episode_sample(transitions: list[dict[str, Any]]) -> Sample:
    """
    Overview:
        Stack one episode's transitions, from ``make_transition``, along time.
    Shapes:
        - returns: obs [T + 1, N, O], state [T + 1, S], action_mask [T + 1, N, A], action [T, N], reward, terminated,
          truncated, mask [T], hidden_state [T, N, L, H] before every step
    """
    sample: Sample = {
        name: torch.stack([t['obs'][key] for t in transitions] + [transitions[-1]['next_obs'][key]])
        for name, key in _DING_OBS.items()
    }
    sample['action_mask'] = sample['action_mask'] != 0
    sample['action'] = torch.stack([t['action'] for t in transitions])
    for name in ('reward', 'terminated', 'truncated'):
        sample[name] = torch.stack([_scalar(t[name]) for t in transitions])
    sample['mask'] = torch.ones(len(transitions))
    sample['hidden_state'] = torch.stack([t['prev_state'] for t in transitions])
    return sample


def cut_chunks(episode: Sample, chunk_len: int, burn_in: int = 0, stored_state: bool = True) -> list[Sample]:
    """
    Overview:
        Cut an episode into chunks without overlap; the last one is as short as what is left. Before each chunk come up
        to ``burn_in`` earlier steps, which warm up the hidden state and are not trained on (mask 0).
    Arguments:
        - episode: from ``episode_sample``
        - chunk_len: [env steps]; 0 gives the whole episode
        - burn_in: [env steps]
        - stored_state: start from the hidden state of collection instead of zeros
    """
    n_steps = len(episode['mask'])
    if chunk_len == 0:
        return [{name: episode[name] for name in (*_DING_OBS, *_TIMED)}]
    chunks = []
    for start in range(0, n_steps, chunk_len):
        first, stop = max(0, start - burn_in), min(start + chunk_len, n_steps)
        chunk = {name: episode[name][first:stop] for name in _TIMED}
        chunk.update({name: episode[name][first:stop + 1] for name in _DING_OBS})
        chunk['mask'] = chunk['mask'].clone()
        chunk['mask'][:start - first] = 0.
        if stored_state:
            chunk['hidden_state'] = episode['hidden_state'][first]
        chunks.append(chunk)
    return chunks


def collate_samples(samples: list[Sample], initial_state: Tensor) -> EpisodeBatch:
    """
    Overview:
        Pad samples to the longest and stack them, time first.
    Arguments:
        - samples: from ``cut_chunks``, or DI-engine's own (made by ``ding.rl_utils.get_train_sample``)
        - initial_state: zeros [B, N, L, H], B = len(samples)
    """
    samples = [s if 'terminated' in s else _from_ding_sample(s, initial_state[:1]) for s in samples]
    batch = {name: _pad_stack([s[name] for s in samples], fill=name == 'action_mask') for name in (*_DING_OBS, *_TIMED)}
    batch['length'] = torch.tensor([_length(s['mask']) for s in samples])
    if any('hidden_state' in s for s in samples):
        states = [s.get('hidden_state', zero) for s, zero in zip(samples, initial_state)]
        batch['hidden_state'] = torch.stack([s.to(initial_state.device) for s in states])  # [B, N, L, H]
    if 'IS' in samples[0]:  # of DI-engine's prioritised buffer
        batch['weight'] = torch.tensor([float(s['IS']) for s in samples])
    return EpisodeBatch(**batch)


def _from_ding_sample(given: dict[str, Any], zeros: Tensor) -> Sample:
    """DI-engine's chunk: dict of lists over T, ``done`` without a reason."""
    n_steps = len(given['done'])
    sample: Sample = {
        name: torch.stack([*given['obs'][key][:n_steps], given['next_obs'][key][n_steps - 1]])
        for name, key in _DING_OBS.items()
    }
    done = torch.stack([_scalar(d) for d in given['done']])  # [T]
    mask = (done.cumsum(0) - done == 0).float()  # DI-engine pads behind the end with rows that are done
    sample['action_mask'] = sample['action_mask'] != 0
    sample['action_mask'][:-1][mask == 0] = True  # padding rows come without a legal action
    sample['action'] = torch.stack(list(given['action']))
    sample['reward'] = torch.stack([_scalar(r) for r in given['reward']])
    sample['terminated'] = done
    sample['truncated'] = torch.zeros(n_steps)
    sample['mask'] = mask
    sample['hidden_state'] = to_hidden_state([given['prev_state'][0]], zeros)[0]
    return {**sample, 'IS': given['IS']} if 'IS' in given else sample


def _length(mask: Tensor) -> int:
    """Steps up to the last real one, [env steps], 1 if there is none: mask [T]."""
    return max(int((torch.arange(1, len(mask) + 1) * (mask.cpu() > 0)).max()), 1)


def _scalar(value: Any) -> Tensor:
    """A bool, number or one-element tensor as a float32 scalar."""
    return torch.as_tensor(value, dtype=torch.float32).reshape(())


def _pad_stack(rows: list[Tensor], fill: bool) -> Tensor:
    """B tensors [T_b, ...] to [T, B, ...]; padding is ``fill``."""
    n_steps = max(len(row) for row in rows)
    out = rows[0].new_full((n_steps, len(rows), *rows[0].shape[1:]), fill)
    for b, row in enumerate(rows):
        out[:len(row), b] = row
    return out
