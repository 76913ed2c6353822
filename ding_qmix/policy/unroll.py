from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from ding_qmix.spec import EpisodeBatch

_MIN_LEN = 4  # [env steps] shorter segments cost more in calls than they save in padding; measured on MMM
_MIN_FILL = 0.8  # a segment ends when less than this fraction of its episodes still runs


class Segment(NamedTuple):
    """A stretch of time in which only the first ``n_episodes`` of a batch, the longest ones, still run."""
    start: int  # [env steps]
    stop: int  # [env steps], exclusive
    n_episodes: int


def by_length(batch: EpisodeBatch) -> tuple[EpisodeBatch, Optional[Tensor]]:
    """
    Order a batch's episodes from the longest to the shortest; also return the order, int64 [B]. A batch that is in
    order already is not copied, and its order is None.
    """
    lengths = episode_lengths(batch.mask)
    if bool((lengths[:-1] >= lengths[1:]).all()):
        return batch, None
    order = lengths.argsort(descending=True, stable=True)
    per_episode = {
        'hidden_state': None if batch.hidden_state is None else batch.hidden_state[order],
        'weight': None if batch.weight is None else batch.weight[order],
    }
    return EpisodeBatch(*(t[:, order] for t in batch[:-2]), **per_episode), order


def episode_lengths(mask: Tensor) -> Tensor:
    """Count each episode's steps up to its last real one: mask [T, B] -> int64 [B]."""
    steps = torch.arange(1, len(mask) + 1, device=mask.device).unsqueeze(1)  # [T, 1]
    return (steps * (mask > 0)).amax(dim=0)


def time_segments(lengths: Tensor, n_rows: int) -> list[Segment]:
    """
    Overview:
        Cut a batch into stretches of time with little padding in each, so that networks run on few padded steps.
    Arguments:
        - lengths: int64 [B], descending, [env steps]; an episode of length l has l + 1 rows of obs
        - n_rows: T + 1; what no episode needs is covered too, by the longest alone
    """
    running = (lengths.unsqueeze(1) >= torch.arange(n_rows)).sum(dim=0).tolist()  # [T + 1]
    segments, start = [], 0
    for t in range(1, n_rows + 1):
        if t == n_rows or (running[t] < _MIN_FILL * running[start] and t - start >= _MIN_LEN):
            segments.append(Segment(start, t, max(running[start], 1)))
            start = t
    return segments


def unroll(model: torch.nn.Module, batch: EpisodeBatch, segments: list[Segment],
           action: Optional[Tensor]) -> tuple[Tensor, Tensor]:
    """
    Overview:
        Run a network once over a batch, segment by segment.
    Arguments:
        - model: ``QMix``, or another one with its ``forward``
        - segments: from ``time_segments``
        - action: int64 [T + 1, B, N]; None lets the network take its greedy legal actions
    Shapes:
        - returns: Q_tot [T + 1, B] of the actions and all Q-values [T + 1, B, N, A]; zeros on padding
    """
    hidden_state = batch.hidden_state
    if hidden_state is None:
        hidden_state = model.initial_state(batch.obs.shape[1])  # [B, N, L, H]
    q_tots, q_values = [], []
    for start, stop, k in segments:
        data = {
            'obs': {
                'agent_state': batch.obs[start:stop, :k],
                'global_state': batch.state[start:stop, :k],
                'action_mask': batch.action_mask[start:stop, :k],
            },
            'prev_state': hidden_state[:k],
        }
        if action is not None:
            data['action'] = action[start:stop, :k]
        output = model(data, single_step=False)
        hidden_state = output['next_state']
        n_padding = batch.obs.shape[1] - k
        q_tots.append(F.pad(output['total_q'], (0, n_padding)))  # [t, k] -> [t, B]
        q_values.append(F.pad(output['logit'], (0, 0, 0, 0, 0, n_padding)))  # [t, k, N, A] -> [t, B, N, A]
    return torch.cat(q_tots), torch.cat(q_values)
