"""Damaged states of the replay buffer are refused by name and leave the buffer as it is."""
import copy
from typing import Any, Callable

import pytest
import torch
from buffer_data import make_buffer
from policy_data import random_episode

from ding_qmix.policy.samples import cut_chunks

Damage = Callable[[dict[str, Any]], Any]


def _chunks(n_steps: int, seed: int) -> list[dict[str, Any]]:
    return cut_chunks(random_episode(n_steps, seed=seed), 4)


def _filled(**cfg: Any) -> Any:
    buffer = make_buffer(max_rows=40, **cfg)
    for n in (3, 7, 5, 9, 2):
        buffer.push(_chunks(n, seed=n))
    return buffer


def _set(*path: Any, value: Any) -> Damage:

    def damage(state: dict[str, Any]) -> None:
        for name in path[:-1]:
            state = state[name]
        state[path[-1]] = value(state[path[-1]]) if callable(value) else value

    return damage


@pytest.mark.unittest
def test_whole_state_is_taken() -> None:
    buffer = _filled(priority=True)
    other = make_buffer(max_rows=40, priority=True)
    other.load_state_dict(copy.deepcopy(buffer.state_dict()))
    assert other.count() == buffer.count()


@pytest.mark.unittest
@pytest.mark.parametrize(
    'damage, message', [
        (lambda s: s.pop('samples'), 'without samples'),
        (_set('rows', value=5), 'rows: a state of type int'),
        (_set('samples', 0, value=[50, 3]), r'steps of a sample in row 50: 3, expected an integer from 1 to -11'),
        (_set('samples', 0, value=[-1, 3]), 'first row of a sample: -1'),
        (_set('samples', 0, value=[0.5, 3]), r'first row of a sample: 0\.5'),
        (_set('samples', 0, 1, value=10 ** 9), 'steps of a sample in row 0: 1000000000'),
        (_set('samples', 0, 1, value=0), 'steps of a sample in row 0: 0'),
        (_set('samples', 0, value=7), 'first row of a sample: None'),
        (_set('samples', 1, 0, value=1), 'two samples lie in row 1'),
        (_set('rows', 'gaps', value=[[0, 40]]), 'rows have the gaps'),
        (_set('next_id', value=1), 'next_id: 1, expected an integer of'),
        (_set('next_id', value='x'), "next_id: 'x'"),
        (_set('generator', value=torch.zeros(3, dtype=torch.uint8)), 'generator'),
        (_set('shapes', value={}), 'shapes: a state without'),
        (_set('shapes', 'obs', 1, value=0), 'shape of obs: 0'),
        (_set('shapes', 'obs', 0, value=7), 'do not fit one another'),
        (_set('shapes', 'action', value=[3, 1]), 'do not fit one another'),
        (_set('storage', 'action', value=lambda t: t[:-1]), 'EpisodeBuffer: action'),
        (_set('storage', 'reward', value=lambda t: t.double()), 'EpisodeBuffer: reward'),
        (_set('storage', 'obs.is_real', value=lambda t: t[:-1]), r'obs\.is_real'),
        (_set('storage', 'obs.is_real', value=lambda t: ~t), r'obs\.(bits|real_values)'),
        (_set('storage', 'state.bits', value=lambda t: t[:-1]), r'state\.bits'),
        (_set('storage', 'state.real_values', value=[1.]), r'state\.real_values'),
        (lambda s: s['storage'].pop('state.bits'), r'without state\.bits'),
        (_set('storage', 'hidden_state', value=lambda t: t[:1]), 'hidden_state'),
        (_set('priorities', 'shares', value=lambda t: t * float('nan')), 'priorities are negative or not finite'),
        (_set('priorities', 'shares', value=lambda t: t[:-1]), 'shares'),
        (_set('priorities', 'max_priority', value=float('inf')), 'priorities are negative or not finite'),
        (_set('priorities', 'n_draws', value=-1), 'n_draws: -1'),
    ]
)
def test_damaged_state_is_refused_by_name(damage: Damage, message: str) -> None:
    state = copy.deepcopy(_filled(priority=True).state_dict())
    damage(state)
    with pytest.raises(ValueError, match=message):
        make_buffer(max_rows=40, priority=True).load_state_dict(state)


@pytest.mark.unittest
@pytest.mark.parametrize('value', [5, None, []])
def test_what_is_no_state_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match='expected a dict'):
        make_buffer().load_state_dict(value)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'damage, message', [
        (lambda s: s.pop('lengths'), 'without lengths'),
        (_set('lengths', value=lambda n: n[:-1]), 'segment of .* expected'),
        (_set('lengths', 0, value=-1), 'length of a sample: -1'),
        (_set('lengths', 0, value=5), 'has 5 steps, the index says otherwise'),
        (_set('storage', 'obs.bits', value=lambda t: t[:-1]), r'obs\.bits'),
        (_set('storage', 'obs.is_real', value=lambda t: t[:-1]), r'obs\.is_real'),
    ]
)
def test_damaged_segment_is_refused_by_name(damage: Damage, message: str) -> None:
    buffer, other = _filled(), make_buffer(max_rows=40)
    ids = buffer.sample_ids
    segment = copy.deepcopy(buffer.samples_state_dict(ids))
    other.load_state_dict(copy.deepcopy(buffer.index_state_dict()))
    damage(segment)
    with pytest.raises(ValueError, match=message):
        other.load_samples(ids, segment)
