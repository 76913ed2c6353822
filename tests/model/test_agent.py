"""The agents' network computes nothing on padding, and nothing else changes by it."""
import pytest
import torch

from ding_qmix.model import QMix, RecurrentQNetwork

N, OBS_DIM, S, A, H = 3, 7, 9, 5, 8
RAGGED = (20, 14, 14, 9, 3, 3, 2, 1)  # [rows]


def _network(**kwargs) -> QMix:
    torch.manual_seed(0)
    return QMix(N, OBS_DIM, S, A, (H, ), **kwargs)


def _ragged(network: QMix) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Obs [T, B, N, O], hidden states, rows [B]."""
    torch.manual_seed(1)
    hidden_state = torch.randn(network.initial_state(len(RAGGED)).shape)
    return torch.randn(max(RAGGED), len(RAGGED), N, OBS_DIM), hidden_state, torch.tensor(RAGGED)


@pytest.mark.unittest
@pytest.mark.parametrize('kwargs', [{}, dict(rnn_type='lstm'), dict(dueling=True)])
def test_padding_changes_no_value_of_a_real_row(kwargs):
    network = _network(**kwargs)
    obs, hidden_state, n_rows = _ragged(network)
    real = torch.arange(len(obs)).unsqueeze(1) < n_rows  # [T, B]
    q_values, last = network.q_values(obs, hidden_state, n_rows)
    expected, _ = network.q_values(obs, hidden_state)
    torch.testing.assert_close(q_values[real], expected[real])
    assert (q_values[~real] == 0.).all()
    for b, length in enumerate(RAGGED):
        _, state = network.q_values(obs[:length, b:b + 1], hidden_state[b:b + 1])
        torch.testing.assert_close(last[b:b + 1], state)


@pytest.mark.unittest
@pytest.mark.parametrize('rnn_type', ['gru', 'lstm'])
def test_padding_changes_no_gradient(rnn_type):
    network, gradients = _network(rnn_type=rnn_type), []
    obs, hidden_state, n_rows = _ragged(network)
    real = (torch.arange(len(obs)).unsqueeze(1) < n_rows).float()  # [T, B]
    for given in (n_rows, None):
        q_values, _ = network.q_values(obs, hidden_state, given)
        loss = (q_values.square().sum((2, 3)) * real).sum()
        gradients.append(torch.autograd.grad(loss, list(network.agent.parameters())))
    torch.testing.assert_close(*gradients)


@pytest.mark.unittest
def test_hidden_state_defaults_to_zeros():
    network = _network()
    obs, hidden_state, _ = _ragged(network)
    torch.testing.assert_close(network.q_values(obs), network.q_values(obs, torch.zeros_like(hidden_state)))


@pytest.mark.unittest
def test_obs_of_another_map_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match=rf'{OBS_DIM + 1}\).*obs_dim={OBS_DIM}'):
        _network().q_values(torch.zeros(2, 1, N, OBS_DIM + 1))


@pytest.mark.unittest
@pytest.mark.parametrize(
    'change, message', [
        (dict(rnn_type='pytorch'), "rnn_type 'pytorch'"),
        (dict(mixer='sum'), "mixer 'sum'"),
    ]
)
def test_unknown_part_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        _network(**change)


@pytest.mark.unittest
def test_network_without_a_width_is_refused():
    with pytest.raises(ValueError, match='hidden_dims is empty'):
        RecurrentQNetwork(OBS_DIM, A, [])
