"""Training stops at the first number that is not finite, and what does not fit the networks is not loaded."""
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ding_qmix.spec import EpisodeBatch


def check_update(values: Mapping[str, float], batch: EpisodeBatch, network: torch.nn.Module) -> None:
    """
    Overview:
        Refuse an update whose loss or gradient is not finite, and name what made it so.
    Arguments:
        - values: loss, gradient norm and the like
        - batch: what the update was computed from
        - network: the online network, which has not been changed yet
    Raises:
        - FloatingPointError: names the first of batch, parameters and ``values`` that is not finite
    """
    if all(math.isfinite(value) for value in values.values()):
        return
    for name, value in (*batch._asdict().items(), *network.named_parameters()):
        if value is not None and not bool(torch.isfinite(value).all()):
            where = f'{name} of the batch' if name in batch._fields else f'parameter {name} of the online network'
            cause = f'{where} holds {_first_bad(value)}'
            break
    else:
        name, number = next((name, value) for name, value in values.items() if not math.isfinite(value))
        cause = f'{name} is {number}, though batch and parameters are finite; lower learn.learning_rate or the rewards'
    raise FloatingPointError(
        f'policy ding_qmix: {cause}. Training stops and the networks stay as before this update; go on from the last '
        'checkpoint once the cause is found'
    )


def check_state_dict(what: str, state_dict: Mapping[str, Any]) -> None:
    """
    Overview:
        Refuse parameters that are not finite.
    Arguments:
        - what: name of the network, for the message
    Raises:
        - ValueError: names the first such parameter
    """
    for name, value in state_dict.items():
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ValueError(
                f'policy ding_qmix: checkpoint has {_first_bad(value)} in parameter {name} of its {what}; take an '
                'earlier checkpoint'
            )


def check_shapes(state_dict: Mapping[str, Any], network: torch.nn.Module) -> None:
    """
    Overview:
        Refuse parameters of a network of other sizes.
    Raises:
        - ValueError: names every parameter that differs, with both shapes
    """
    wrong = [
        f'{name} {list(state_dict[name].shape)} (here: {list(value.shape)})'
        for name, value in network.state_dict().items()
        if isinstance(state_dict.get(name), Tensor) and state_dict[name].shape != value.shape
    ]
    if wrong:
        raise ValueError(
            f'policy ding_qmix: checkpoint of another map or of other sizes: {", ".join(wrong)}; take one that was '
            'trained with this map and policy.model'
        )


def _first_bad(value: Tensor) -> float:
    """The first entry that is not finite."""
    return float(value[~torch.isfinite(value)][0].detach())
