"""SMAC's options of what a decision does, with SMAC's names and defaults."""
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.schema import Rule, check_value, integer, number
from ding_qmix.smac.terrain import MAP_SIZE


class ActionOptions(NamedTuple):
    """
    How long a decision lasts and how far a move order goes. The episode limit counts decisions, whatever they last.

    Source: oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 (step, get_agent_action, can_move)
    """
    step_mul: int = 8  # [game loops per env step]
    move_amount: float = 2.  # [map units] ahead that a move order aims; half of it must be pathable


ACTION_RULES: dict[str, Rule] = {
    'step_mul': integer(1, 240, 'game loops'),
    'move_amount': number(0., MAP_SIZE, 'map units', above=True),
}


def make_action_options(step_mul: Any = 8, move_amount: Any = 2.) -> ActionOptions:
    """
    Overview:
        Return SMAC's options of actions.
    Raises:
        - TypeError: step_mul is no integer, move_amount no number
        - ValueError: one of them is out of its range
    """
    if isinstance(step_mul, bool) or not isinstance(step_mul, (int, np.integer)):
        raise TypeError(f'step_mul must be a number of game loops, got {step_mul!r}')
    if isinstance(move_amount, bool) or not isinstance(move_amount, (int, float, np.integer, np.floating)):
        raise TypeError(f'move_amount must be a number of map units, got {move_amount!r}')
    for name, value in (('step_mul', step_mul), ('move_amount', move_amount)):
        if not 0 < value < np.inf:
            raise ValueError(f'{name} must be above 0, got {value}')
        check_value(f'env.{name}', value, ACTION_RULES[name])
    return ActionOptions(int(step_mul), float(move_amount))
