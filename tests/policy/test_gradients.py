"""The policy's gradients are those of a plain torch implementation that shares no code with it."""
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from policy_data import H, N, chunk, make_policy, random_episode, whole

from ding_qmix.policy import QMIXPolicy
from ding_qmix.policy.samples import collate_samples
from ding_qmix.spec import EpisodeBatch

LENGTHS = (3, 12, 7, 7, 1)  # [env steps]
ENDS = ('terminated', 'truncated', 'cut', 'terminated', 'cut')


@pytest.fixture(scope='module')
def plain_update() -> Any:
    """The class PlainUpdate."""
    path = Path(__file__).resolve().parents[2] / 'entry' / 'benchmark' / 'plain_update.py'
    spec = importlib.util.spec_from_file_location('plain_update', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PlainUpdate


def _batch(chunks: bool) -> EpisodeBatch:
    """Ragged episodes, or chunks with hidden states and a burn-in."""
    episodes = [random_episode(n, seed=i, end=end) for i, (n, end) in enumerate(zip(LENGTHS, ENDS))]
    samples = [chunk(e) if chunks else whole(e) for e in episodes]
    if chunks:
        samples[1]['mask'][:3] = 0.
    return collate_samples(samples, torch.zeros(len(LENGTHS), N, 1, H))


def _policy_and_states(**learn: Any) -> tuple[QMIXPolicy, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """A policy whose clipping never acts, and state dicts of its two different networks."""
    policy = make_policy(learn=dict(clip_value=1e9, **learn))
    state_dict = policy.learn_mode.state_dict()
    generator = torch.Generator().manual_seed(1)
    for value in state_dict['target_model'].values():
        value += 0.1 * torch.randn(value.shape, generator=generator)
    policy.learn_mode.load_state_dict(state_dict)
    online, target = ({k: v.clone() for k, v in state_dict[name].items()} for name in ('model', 'target_model'))
    return policy, online, target


@pytest.mark.unittest
@pytest.mark.parametrize('chunks', [False, True])
@pytest.mark.parametrize('td_lambda', [0., 0.6])
@pytest.mark.parametrize('double_q', [True, False])
@pytest.mark.parametrize('gradient, n_threads', [('auto', 1), ('auto', 2), ('autograd', 1), ('autograd', 2)])
def test_gradients_are_those_of_plain_torch(plain_update, chunks, td_lambda, double_q, gradient, n_threads) -> None:
    policy, online, target = _policy_and_states(
        td_lambda=td_lambda, double_q=double_q, gradient=gradient, n_threads=n_threads
    )
    plain = plain_update(policy._cfg.model, policy._cfg.learn)
    expected = plain.gradients(online, target, _batch(chunks))
    info = policy.learn_mode.forward(_batch(chunks))
    gradients = {name: parameter.grad for name, parameter in policy._model.named_parameters()}
    assert gradients.keys() == expected.keys()
    scale = max(gradient.abs().max().item() for gradient in expected.values())
    for name, gradient in expected.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=0., atol=1e-5 * scale, msg=lambda m, n=name: n + m)
    norm = torch.stack([gradient.square().sum() for gradient in expected.values()]).sum().sqrt().item()
    assert info['grad_norm'] == pytest.approx(norm, rel=1e-5)


@pytest.mark.unittest
def test_plain_update_steps_as_the_policy(plain_update) -> None:
    policy, online, target = _policy_and_states(target_update_theta=0.1, target_update_freq=0, n_threads=1)
    plain = plain_update(policy._cfg.model, policy._cfg.learn)
    plain.online.load_state_dict(online)
    plain.target.load_state_dict(target)
    losses = [plain.forward(_batch(True)) for _ in range(3)]
    assert losses == pytest.approx([policy.learn_mode.forward(_batch(True))['total_loss'] for _ in range(3)], rel=1e-4)


@pytest.mark.unittest
def test_plain_update_with_adam_lowers_the_loss(plain_update) -> None:
    policy, _, _ = _policy_and_states(optimizer='adam', target_update_theta=0.1, target_update_freq=0)
    plain = plain_update(policy._cfg.model, policy._cfg.learn)
    losses = [plain.forward(_batch(True)) for _ in range(40)]
    assert losses[-1] < losses[0]
