"""Parameter names of DI-engine's ``qmix`` model to ours, so that its checkpoints load."""
from collections.abc import Mapping

import torch
from torch import Tensor

_DING_PREFIX = '_q_network.'
_HEADS = {'Q': 'q', 'A': 'advantage', 'V': 'value'}
_HEAD_LAYERS = {'0.0': '0', '1.0': '2'}  # DI-engine nests each linear layer in a block of its own
_MIXER_LAYERS = {'hyper_w_1.2': 'w1_layer', 'hyper_w_final.2': 'w_final_layer', 'V.2': 'v_layer'}
_STATE_LAYERS = ('hyper_w_1.0', 'hyper_w_final.0', 'V.0', 'hyper_b_1')  # in the order of QMixer.state_layer


def is_ding_state_dict(state_dict: Mapping[str, Tensor]) -> bool:
    """Return whether the names are those of DI-engine's ``qmix`` model."""
    return any(name.startswith(_DING_PREFIX) for name in state_dict)


def from_ding_state_dict(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """
    Overview:
        Rename the parameters of DI-engine's ``qmix`` model to those of ours.
    Arguments:
        - state_dict: the ``model`` entry of a DI-engine QMIX or VDN checkpoint (lstm_type 'gru' or 'pytorch')
    Raises:
        - ValueError: a parameter has no counterpart (image encoders, lstm_type 'normal')
    Source: DI-engine 0.5.3 ding/model/template/qmix.py and q_learning.py
    """
    mixer = {name[len('_mixer.'):]: value for name, value in state_dict.items() if name.startswith('_mixer.')}
    ours = {}
    for name, value in state_dict.items():
        if name.startswith(_DING_PREFIX):
            ours[_agent_name(name)] = value
    if mixer:
        ours.update(_mixer_parameters(mixer))
    return ours


def _agent_name(ding_name: str) -> str:
    """'_q_network.encoder.main.2.weight' -> 'agent.encoder.4.weight'"""
    part, _, rest = ding_name[len(_DING_PREFIX):].partition('.')
    layer, _, parameter = rest.rpartition('.')
    if part == 'encoder' and layer == 'init':
        return f'agent.encoder.0.{parameter}'
    if part == 'encoder' and layer.startswith('main.') and layer.count('.') == 1:
        return f'agent.encoder.{int(layer[len("main."):]) + 2}.{parameter}'
    if part == 'rnn' and parameter.startswith(('weight_', 'bias_')) and layer == '':
        return f'agent.rnn.{parameter}' if parameter.endswith('_l0') else f'agent.rnn.{parameter}_l0'
    head, _, head_layer = layer.partition('.')
    if part == 'head' and head in _HEADS and head_layer in _HEAD_LAYERS:
        return f'agent.head.{_HEADS[head]}.{_HEAD_LAYERS[head_layer]}.{parameter}'
    raise ValueError(
        f'from_ding_state_dict: parameter {ding_name!r} has no counterpart in model ding_qmix; '
        "image encoders and lstm_type 'normal' need DI-engine's own model (model.type 'qmix')"
    )


def _mixer_parameters(mixer: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The four first hypernetwork layers become one, the other layers keep their shape."""
    ours = {}
    for parameter in ('weight', 'bias'):
        ours[f'mixer.state_layer.{parameter}'] = torch.cat([mixer[f'{layer}.{parameter}'] for layer in _STATE_LAYERS])
        for ding_layer, layer in _MIXER_LAYERS.items():
            ours[f'mixer.{layer}.{parameter}'] = mixer[f'{ding_layer}.{parameter}']
    return ours
