"""
Which networks the kernels are for. Parameters are bound by name and layers known by type, so that a network with other
layers, activations or options is never mistaken for one that the kernels compute.
"""
from collections.abc import Iterable
from typing import Any, Optional

import torch
import torch.nn as nn

from ding_qmix.fast_cpu.agent_kernel import AGENT_PARAMETER_NAMES
from ding_qmix.fast_cpu.blas import why_no_blas
from ding_qmix.fast_cpu.mixer_kernel import MIXER_PARAMETER_NAMES
from ding_qmix.model import QMix, QMixer, RecurrentQNetwork

_AGENT_LAYERS = {
    'encoder': nn.Sequential,
    'encoder.0': nn.Linear,
    'encoder.1': nn.ReLU,
    'rnn': nn.GRU,
    'head.q': nn.Sequential,
    'head.q.0': nn.Linear,
    'head.q.1': nn.ReLU,
    'head.q.2': nn.Linear,
}
_MIXER_LAYERS = {
    'state_layer': nn.Linear,
    'w1_layer': nn.Linear,
    'w_final_layer': nn.Linear,
    'v_layer': nn.Linear,
    'hypernet_activation': nn.ReLU,
    'activation': nn.ELU,
}


def why_not_network(network: Any) -> Optional[str]:
    """Return why the kernels are not for a network, for the log; None if they are."""
    if not isinstance(network, QMix):
        return f'the model is a {type(network).__name__}, the kernels know QMix'
    if any(getattr(type(network), name) is not getattr(QMix, name) for name in ('q_values', 'initial_state')):
        return f'{type(network).__name__} computes Q-values in a way of its own'
    others = {name.partition('.')[0] for name, _ in network.named_parameters()} - {'agent', 'mixer'}
    if others:
        return f'{type(network).__name__} has parameters beside agent and mixer: {sorted(others)}'
    return why_not_agent(network.agent) or why_not_mixer(network.mixer)


def why_not_agent(agent: Any) -> Optional[str]:
    """As ``why_not_network``, for the agents' network."""
    if type(agent) is not RecurrentQNetwork:
        return f'the agents are a {type(agent).__name__}, the kernels know RecurrentQNetwork'
    return why_no_blas() or _why_not_layers(agent, _AGENT_LAYERS, AGENT_PARAMETER_NAMES.values(), n_own=2)


def why_not_mixer(mixer: Any) -> Optional[str]:
    """As ``why_not_network``, for the mixer."""
    if type(mixer) is not QMixer:
        return f'the mixer is a {type(mixer).__name__}, the kernels know QMixer'
    if getattr(mixer.activation, 'alpha', 1.) != 1.:
        return f'ELU of the mixer has alpha {mixer.activation.alpha}, the kernels know 1'
    return why_no_blas() or _why_not_layers(mixer, _MIXER_LAYERS, MIXER_PARAMETER_NAMES.values(), n_own=1)


def _why_not_layers(module: nn.Module, layers: dict[str, type], names: Iterable[str], n_own: int) -> Optional[str]:
    """Compare layers and parameters with those that are known; ``n_own`` counts the modules that only hold others."""
    found = dict(module.named_modules())
    for name, kind in layers.items():
        if type(found.get(name)) is not kind:
            return f'layer {name} is a {type(found.get(name)).__name__}, the kernels know {kind.__name__}'
    if len(found) != len(layers) + n_own:
        return f'there are {len(found) - n_own} layers, the kernels know {len(layers)}'
    if any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in found.values()):
        return 'a layer has a hook, which the kernels would not call'
    parameters = dict(module.named_parameters())
    if set(parameters) != set(names):
        return f'the parameters are {sorted(parameters)}, the kernels know {sorted(names)}'
    if any(p.dtype != torch.float32 or p.device.type != 'cpu' for p in parameters.values()):
        return 'the parameters are not float32 on the CPU'
    return None
