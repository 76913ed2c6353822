"""Which way gradients are computed: what the config asks for, what the log says, and that both ways agree."""
import importlib
import sys

import pytest
import torch
import torch.nn as nn
from policy_data import H, make_policy, random_batch

from ding_qmix.fast_cpu import CPUGradient
from ding_qmix.fast_cpu.blas import why_no_blas
from ding_qmix.model import QMixer
from ding_qmix.policy import actor, fast_path
from ding_qmix.policy.autograd import AutogradGradient

needs_kernels = pytest.mark.skipif(why_no_blas() is not None, reason=f'no CPU kernels: {why_no_blas()}')


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize(
    'gradient, model, name, kind', [
        ('auto', {}, 'cpu', CPUGradient),
        ('cpu', {}, 'cpu', CPUGradient),
        ('autograd', {}, 'autograd', AutogradGradient),
        ('auto', dict(mixer=False), 'autograd', AutogradGradient),
        ('auto', dict(lstm_type='pytorch'), 'autograd', AutogradGradient),
    ]
)
def test_config_chooses_the_path(gradient, model, name, kind):
    policy = make_policy(model, learn=dict(gradient=gradient))
    assert policy._gradient_path.name == name and type(policy._gradient_path.make()) is kind
    assert (policy._collect_actor._fast_agent is None) == (gradient == 'autograd' or 'lstm_type' in model)


@pytest.mark.unittest
@needs_kernels
def test_reason_names_what_the_kernels_do_not_know():
    assert 'VDNMixer' in make_policy(dict(mixer=False))._gradient_path.reason
    assert 'bf16' in make_policy(learn=dict(bf16=True))._gradient_path.reason


@pytest.mark.unittest
def test_kernels_asked_for_a_model_they_do_not_know_are_refused():
    with pytest.raises(ValueError, match=r"learn\.gradient: 'cpu', but .*set 'auto' or 'autograd'"):
        make_policy(dict(dueling=True), learn=dict(gradient='cpu'))


@pytest.mark.unittest
def test_unknown_path_is_refused():
    with pytest.raises(ValueError, match=r"learn.gradient: 'gpu', expected one of \('auto', 'autograd', 'cpu'\)"):
        make_policy(learn=dict(gradient='gpu'))


@pytest.mark.unittest
@needs_kernels
def test_frozen_parameter_goes_by_autograd():
    policy = make_policy()
    policy._learn_model.agent.encoder[0].bias.requires_grad_(False)
    path = fast_path.choose_gradient(policy._learn_model, policy._learn_target_model, policy._cfg.learn)
    assert path.name == 'autograd' and 'frozen' in path.reason
    batch = fast_path.tiny_batch(policy._learn_model)
    gradient, _ = path.make().gradient(batch, torch.arange(2), batch.mask.sum())
    n_weights = policy._learn_model.agent.encoder[0].weight.numel()  # the first parameter; the bias is the second
    assert (gradient[n_weights:n_weights + H] == 0.).all() and (gradient[:n_weights] != 0.).any()


@pytest.mark.unittest
@needs_kernels
def test_mixer_that_computes_otherwise_is_an_error_and_no_other_result(monkeypatch):
    mix = QMixer._mix
    monkeypatch.setattr(QMixer, '_mix', lambda self, agent_q, state: mix(self, agent_q, state).square())
    with pytest.raises(RuntimeError, match=r'kernels give another gradient.*gradient=.autograd'):
        make_policy()
    make_policy(learn=dict(gradient='autograd'))


@pytest.mark.unittest
@needs_kernels
def test_agents_that_compute_otherwise_are_an_error_when_acting(monkeypatch):
    head = nn.Sequential.forward
    monkeypatch.setattr(nn.Sequential, 'forward', lambda self, x: head(self, x) + 1.)
    with pytest.raises(RuntimeError, match='kernels give another Q-values'):
        make_policy(enable_field=['eval'])


@pytest.mark.unittest
@needs_kernels
def test_both_paths_train_alike():
    losses = []
    for gradient in ('cpu', 'autograd'):
        policy = make_policy(learn=dict(gradient=gradient, td_lambda=0.6))
        losses.append([policy._forward_learn(random_batch(seed=seed))['total_loss'] for seed in range(5)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.unittest
def test_check_leaves_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    policy = make_policy()
    torch.set_rng_state(before)
    fast_path.choose_gradient(policy._learn_model, policy._learn_target_model, policy._cfg.learn)
    fast_path.make_fast_agent(policy._learn_model)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def _without_fast_cpu(monkeypatch):
    """As if the folder were deleted."""
    for name in [name for name in sys.modules if name.startswith('ding_qmix.fast_cpu')]:
        monkeypatch.delitem(sys.modules, name)

    class Missing:
        """Finds nothing under that name."""

        def find_spec(self, name, path=None, target=None):
            if name == 'ding_qmix.fast_cpu':
                raise ModuleNotFoundError(f'No module named {name!r}', name=name)

    monkeypatch.setattr(sys, 'meta_path', [Missing(), *sys.meta_path])
    importlib.reload(fast_path)
    monkeypatch.setattr(actor, 'make_fast_agent', fast_path.make_fast_agent)
    yield
    monkeypatch.undo()
    importlib.reload(fast_path)


@pytest.mark.unittest
@pytest.mark.usefixtures('_without_fast_cpu')
def test_without_the_package_everything_goes_by_autograd():
    policy = make_policy()
    path = fast_path.choose_gradient(policy._learn_model, policy._learn_target_model, policy._cfg.learn)
    assert path.name == 'autograd' and 'not installed' in path.reason
    assert policy._collect_actor._fast_agent is None
