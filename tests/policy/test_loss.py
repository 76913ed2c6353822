"""The algorithm's page in numbers worked out by hand."""
from typing import Optional

import pytest
import torch
from torch import Tensor

from ding_qmix.policy.loss import qmix_loss
from ding_qmix.spec import EpisodeBatch


class _Table:
    """A network whose agents' values stand in a table [T + 1, B, N, A] and whose Q_tot is their sum plus the state."""

    def __init__(self, values: list) -> None:
        self._values = torch.tensor(values).unsqueeze(1)  # [T + 1, N, A] -> [T + 1, 1, N, A]

    def q_values(self, obs: Tensor, hidden_state: Optional[Tensor], n_rows: Optional[Tensor]) -> tuple[Tensor, None]:
        return self._values, None

    def mixer(self, agent_q: Tensor, state: Tensor) -> Tensor:
        return agent_q.sum(-1) + state.squeeze(-1)


# Two agents with two actions each; rows are times 0, 1 and 2.
ONLINE = _Table([[[1., 2.], [3., 4.]], [[5., 6.], [8., 7.]], [[1., 0.], [0., 1.]]])
TARGET = _Table([[[9., 9.], [9., 9.]], [[2., 1.], [3., 4.]], [[5., 6.], [7., 8.]]])


def _batch(**fields: Tensor) -> EpisodeBatch:
    """One episode of two steps; all actions are legal, but agent 0's action 0 at time 2."""
    legal = torch.ones(3, 1, 2, 2, dtype=torch.bool)
    legal[2, 0, 0, 0] = False
    batch = EpisodeBatch(
        obs=torch.zeros(3, 1, 2, 1),
        state=torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1),
        action_mask=legal,
        action=torch.tensor([[[1, 0]], [[0, 0]]]),
        reward=torch.tensor([[1.], [2.]]),
        terminated=torch.zeros(2, 1),
        truncated=torch.zeros(2, 1),
        mask=torch.ones(2, 1),
        length=torch.tensor([2]),
    )
    return batch._replace(**fields)


@pytest.mark.unittest
def test_q_tot_is_that_of_the_actions_taken():
    result = qmix_loss(ONLINE, TARGET, _batch(), gamma=0.5, td_lambda=0.)
    torch.testing.assert_close(result.q_tot, torch.tensor([[2. + 3. + 0.1], [5. + 8. + 0.2]]))


@pytest.mark.unittest
def test_double_q_values_the_online_networks_best_legal_actions():
    # At time 1 the online network likes (1, 0), at time 2 (1, 1), since agent 0's action 0 is illegal there.
    result = qmix_loss(ONLINE, TARGET, _batch(), gamma=0.5, td_lambda=0.)
    expected = torch.tensor([[1. + 0.5 * (1. + 3. + 0.2)], [2. + 0.5 * (6. + 8. + 0.3)]])
    torch.testing.assert_close(result.target_q_tot, expected)
    assert float(result.loss) == pytest.approx(((5.1 - 3.1) ** 2 + (13.2 - 9.15) ** 2) / 2)


@pytest.mark.unittest
def test_without_double_q_the_target_network_takes_its_own_best():
    # (0, 1) at time 1
    result = qmix_loss(ONLINE, TARGET, _batch(), gamma=0.5, td_lambda=0., double_q=False)
    expected = torch.tensor([[1. + 0.5 * (2. + 4. + 0.2)], [2. + 0.5 * (6. + 8. + 0.3)]])
    torch.testing.assert_close(result.target_q_tot, expected)


@pytest.mark.unittest
def test_lambda_mixes_in_the_return_that_follows():
    result = qmix_loss(ONLINE, TARGET, _batch(), gamma=0.5, td_lambda=0.25)
    last = 2. + 0.5 * 14.3
    expected = torch.tensor([[1. + 0.5 * (0.75 * 4.2 + 0.25 * last)], [last]])
    torch.testing.assert_close(result.target_q_tot, expected)


@pytest.mark.unittest
@pytest.mark.parametrize('timeout_is_terminal', [True, False])
def test_time_limit_ends_the_return_only_if_it_counts_as_an_end(timeout_is_terminal):
    batch = _batch(truncated=torch.tensor([[0.], [1.]]))
    result = qmix_loss(ONLINE, TARGET, batch, 0.5, 0., timeout_is_terminal=timeout_is_terminal)
    assert float(result.target_q_tot[1]) == pytest.approx(2. if timeout_is_terminal else 9.15)


@pytest.mark.unittest
def test_masked_steps_are_in_neither_sum_nor_count_and_weights_scale_episodes():
    result = qmix_loss(
        ONLINE, TARGET, _batch(mask=torch.tensor([[0.], [1.]]), weight=torch.tensor([3.])), gamma=0.5, td_lambda=0.
    )
    assert float(result.loss) == pytest.approx(3. * (13.2 - 9.15) ** 2)
