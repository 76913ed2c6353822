"""The kernels are for networks whose layers, activations and parameters they know, and for no others."""
import pytest
import torch
import torch.nn as nn

from ding_qmix.fast_cpu import support
from ding_qmix.fast_cpu.blas import why_no_blas
from ding_qmix.fast_cpu.support import why_not_network
from ding_qmix.model import QMix

SIZES = dict(n_agents=3, obs_dim=11, state_dim=13, n_actions=5, hidden_dims=[24])
needs_kernels = pytest.mark.skipif(why_no_blas() is not None, reason=f'no CPU kernels: {why_no_blas()}')


def _network(**kwargs) -> QMix:
    return QMix(**{**SIZES, **kwargs})


@pytest.mark.unittest
@needs_kernels
def test_plain_network_is_known():
    assert why_not_network(_network()) is None


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize(
    'kwargs, why', [
        (dict(dueling=True), 'head.q'),
        (dict(rnn_type='lstm'), 'rnn is a LSTM'),
        (dict(mixer='vdn'), 'mixer is a VDNMixer'),
        (dict(hidden_dims=[32, 24]), 'there are 10 layers'),
    ]
)
def test_other_options_are_not_known(kwargs, why):
    assert why in why_not_network(_network(**kwargs))


def _with(path: str, module: nn.Module) -> QMix:
    """A network with one layer changed."""
    network = _network()
    parent, _, name = path.rpartition('.')
    setattr(network.get_submodule(parent), name, module)
    return network


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize(
    'path, module, why', [
        ('agent.encoder.1', nn.Tanh(), 'encoder.1 is a Tanh, the kernels know ReLU'),
        ('agent.head.q.1', nn.GELU(), 'head.q.1 is a GELU'),
        ('agent.rnn', nn.GRU(24, 24, num_layers=2), 'the parameters are'),
        ('agent.rnn', nn.GRU(24, 24, bias=False), 'the parameters are'),
        ('agent.encoder.0', nn.Linear(11, 24, bias=False), 'the parameters are'),
        ('mixer.activation', nn.ReLU(), 'activation is a ReLU, the kernels know ELU'),
        ('mixer.activation', nn.ELU(alpha=0.5), 'alpha 0.5'),
        ('mixer.hypernet_activation', nn.Tanh(), 'hypernet_activation is a Tanh'),
        ('agent.norm', nn.LayerNorm(3), 'there are 9 layers'),
        ('extra', nn.Linear(2, 2), r"beside agent and mixer: ['extra']"),
    ]
)
def test_changed_layer_is_not_known(path, module, why):
    assert why in why_not_network(_with(path, module))


@pytest.mark.unittest
@needs_kernels
def test_other_precision_is_not_known():
    assert 'float32' in why_not_network(_network().double())


@pytest.mark.unittest
@needs_kernels
def test_hook_is_not_known():
    network = _network()
    network.agent.rnn.register_forward_hook(lambda *_: None)
    assert 'hook' in why_not_network(network)


@pytest.mark.unittest
@needs_kernels
def test_subclass_is_known_unless_it_computes_its_own_values():

    class Renamed(QMix):
        """A user's model."""

    class Changed(QMix):
        """A user's model that changes the values."""

        def q_values(self, *args, **kwargs):
            q_values, hidden_state = super().q_values(*args, **kwargs)
            return 2. * q_values, hidden_state

    assert why_not_network(Renamed(**SIZES)) is None
    assert 'Changed computes Q-values in a way of its own' in why_not_network(Changed(**SIZES))
    assert 'is a Linear' in why_not_network(nn.Linear(2, 2))


@pytest.mark.unittest
def test_without_blas_no_network_is_known(monkeypatch):
    monkeypatch.setattr(support, 'why_no_blas', lambda: "torch's library offers no sgemm")
    assert why_not_network(_network()) == "torch's library offers no sgemm"


@pytest.mark.unittest
def test_tied_parameters_are_not_known():
    network = _network()
    network.agent.head.q[0].weight = network.agent.rnn.weight_hh_l0 = nn.Parameter(torch.zeros(72, 24))
    assert why_not_network(network) is not None
