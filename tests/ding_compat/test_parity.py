"""Our model beside DI-engine's: same weights, same outputs; either policy runs either model."""
import itertools

import pytest
import torch
from ding.model.template.qmix import QMix as DingModel

from ding_qmix.ding_compat import DingQMix
from ding_qmix.ding_compat.hidden_state import to_hidden_state, to_prev_state

T, B, N, S, A = 7, 4, 3, 13, 5
OBS_DIM = 11
SIZES = dict(agent_num=N, obs_shape=OBS_DIM, global_obs_shape=S, action_shape=A, hidden_size_list=[32, 16, 24])


def _pair(**kwargs):
    """DI-engine's model and ours with its weights."""
    torch.manual_seed(0)
    ding, ours = DingModel(**SIZES, **kwargs), DingQMix(**SIZES, **kwargs)
    ours.load_state_dict(ding.state_dict())
    return ding, ours


def _obs(lead, seed=1):
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand(*lead, N, A, generator=generator) < 0.6).float()
    mask[..., 0] = 1.
    return {
        'agent_state': torch.randn(*lead, N, OBS_DIM, generator=generator),
        'global_state': torch.randn(*lead, S, generator=generator),
        'action_mask': mask,
    }


def _zero_lists():
    return [[None for _ in range(N)] for _ in range(B)]


MODELS = [dict(), dict(lstm_type='pytorch'), dict(dueling=True), dict(mixer=False)]


@pytest.mark.unittest
@pytest.mark.parametrize('kwargs', MODELS)
@pytest.mark.parametrize('given_action', [True, False])
def test_sequence_forward_equal_ding(kwargs, given_action):
    ding, ours = _pair(**kwargs)
    data = {'obs': _obs((T, B)), 'prev_state': _zero_lists()}
    if given_action:
        data['action'] = torch.randint(A, (T, B, N), generator=torch.Generator().manual_seed(2))
    expected, got = ding(dict(data), single_step=False), ours(dict(data), single_step=False)
    torch.testing.assert_close(got['total_q'], expected['total_q'], atol=1e-5, rtol=0)
    torch.testing.assert_close(got['logit'], expected['logit'], atol=1e-5, rtol=0)
    assert got['total_q'].shape == (T, B) and got['logit'].shape == (T, B, N, A)
    _assert_same_state(got['next_state'], expected['next_state'])


@pytest.mark.unittest
@pytest.mark.parametrize('kwargs', MODELS)
def test_single_steps_equal_ding(kwargs):
    ding, ours = _pair(**kwargs)
    ding_state, our_state = _zero_lists(), _zero_lists()
    for step in range(3):
        obs = _obs((B, ), seed=step)
        expected = ding({'obs': obs, 'prev_state': ding_state}, single_step=True)
        got = ours({'obs': obs, 'prev_state': our_state}, single_step=True)
        torch.testing.assert_close(got['total_q'], expected['total_q'], atol=1e-5, rtol=0)
        torch.testing.assert_close(got['logit'], expected['logit'], atol=1e-5, rtol=0)
        ding_state, our_state = expected['next_state'], got['next_state']
    _assert_same_state(our_state, ding_state)


def _assert_same_state(got, expected):
    assert len(got) == B and all(len(agents) == N for agents in got)
    for ours, ding in zip(itertools.chain(*got), itertools.chain(*expected)):
        assert set(ours) == set(ding)
        for key in ding:
            torch.testing.assert_close(ours[key], ding[key], atol=1e-5, rtol=0)


@pytest.mark.unittest
def test_output_keys_are_dings():
    ding, ours = _pair()
    data = {'obs': _obs((T, B)), 'prev_state': _zero_lists()}
    assert set(ours(dict(data), single_step=False)) == set(ding(dict(data), single_step=False))


@pytest.mark.unittest
@pytest.mark.parametrize('lstm_type', ['gru', 'pytorch'])
def test_sequence_equals_single_steps(lstm_type):
    _, ours = _pair(lstm_type=lstm_type)
    obs = _obs((T, B))
    whole = ours({'obs': obs, 'prev_state': None}, single_step=False)
    state, rows = None, []
    for t in range(T):
        step = ours({'obs': {k: v[t] for k, v in obs.items()}, 'prev_state': state}, single_step=True)
        state = step['next_state']
        rows.append(step['total_q'])
    torch.testing.assert_close(torch.stack(rows), whole['total_q'], atol=1e-5, rtol=0)
    torch.testing.assert_close(state, whole['next_state'], atol=1e-5, rtol=0)


@pytest.mark.unittest
@pytest.mark.parametrize('n_tensors', [1, 2])
def test_ding_state_survives_the_round_trip(n_tensors):
    packed = torch.randn(B, N, n_tensors, 6)
    assert torch.equal(to_hidden_state(to_prev_state(packed), torch.zeros_like(packed)), packed)


@pytest.mark.unittest
def test_to_hidden_state_refuses_wrong_number_of_agents():
    with pytest.raises(ValueError, match='expected 4 episodes x 3 agents'):
        to_hidden_state([[None] * 2] * B, torch.zeros(B, N, 1, 6))


@pytest.mark.unittest
def test_layer_norm_lstm_checkpoint_is_refused_by_name():
    ding = DingModel(**SIZES, lstm_type='normal')
    with pytest.raises(ValueError, match=r'_q_network\.rnn'):
        DingQMix(**SIZES).load_state_dict(ding.state_dict())


@pytest.mark.unittest
@pytest.mark.parametrize(
    'change, message', [
        (dict(obs_shape=[3, 8, 8]), 'obs_shape'),
        (dict(action_shape=0), 'action_shape=0'),
        (dict(lstm_type='normal'), "lstm_type 'normal'"),
        (dict(hidden_size_list=[]), 'hidden_size_list is empty'),
    ]
)
def test_wrong_size_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        DingQMix(**{**SIZES, **change})


@pytest.mark.unittest
def test_obs_of_another_map_is_refused_with_both_numbers():
    obs = dict(_obs((T, B)), agent_state=torch.zeros(T, B, N, OBS_DIM + 1))
    with pytest.raises(ValueError, match=f'{OBS_DIM + 1}.*obs_dim={OBS_DIM}'):
        DingQMix(**SIZES)({'obs': obs, 'prev_state': None}, single_step=False)


@pytest.mark.unittest
def test_state_of_another_map_is_refused_with_both_numbers():
    obs = dict(_obs((T, B)), global_state=torch.zeros(T, B, S + 2))
    with pytest.raises(ValueError, match=f'{S + 2}.*state_dim={S}'):
        DingQMix(**SIZES)({'obs': obs, 'prev_state': None}, single_step=False)
