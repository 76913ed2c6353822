"""Numbers that are not finite stop training by name, before the networks take them in."""
import math

import pytest
import torch
from policy_data import fixed_parameters, make_policy, random_batch, same_tensors


@pytest.mark.unittest
@pytest.mark.parametrize('gradient', ['auto', 'autograd'])
@pytest.mark.parametrize('field, bad', [('reward', math.nan), ('obs', math.inf), ('state', math.nan)])
def test_batch_that_is_not_finite_stops_training_and_leaves_the_networks(gradient, field, bad):
    policy, batch = make_policy(learn=dict(gradient=gradient)), random_batch()
    before = fixed_parameters(policy._learn_model)
    getattr(batch, field)[1, 0] = bad
    with pytest.raises(FloatingPointError, match=rf'{field} of the batch holds {bad}\. Training stops'):
        policy._forward_learn(batch)
    assert same_tensors(before, policy._learn_model.state_dict())
    assert math.isfinite(policy._forward_learn(random_batch())['total_loss'])


@pytest.mark.unittest
def test_parameter_that_is_not_finite_stops_training_by_name():
    policy = make_policy()
    with torch.no_grad():
        policy._learn_model.agent.rnn.bias_hh_l0[3] = math.inf
    with pytest.raises(FloatingPointError, match=r'parameter agent\.rnn\.bias_hh_l0 of the online network holds inf'):
        policy._forward_learn(random_batch())


@pytest.mark.unittest
def test_loss_beyond_float32_stops_training_by_name():
    policy, batch = make_policy(), random_batch()
    batch.reward[0, 0] = 1e30
    with pytest.raises(FloatingPointError, match='total_loss is inf, though batch and parameters are finite'):
        policy._forward_learn(batch)


@pytest.mark.unittest
@pytest.mark.parametrize('mode', ['learn_mode', 'collect_mode', 'eval_mode'])
def test_checkpoint_that_is_not_finite_is_refused_by_name(mode):
    policy = make_policy()
    state_dict = {name: value for name, value in policy.learn_mode.state_dict().items()}
    state_dict['model'] = dict(state_dict['model'])
    state_dict['model']['mixer.v_layer.bias'] = torch.tensor([math.nan])
    before = fixed_parameters(policy._model)
    with pytest.raises(ValueError, match=r'checkpoint has nan in parameter mixer\.v_layer\.bias of its model'):
        getattr(policy, mode).load_state_dict(state_dict)
    assert same_tensors(before, policy._model.state_dict())
