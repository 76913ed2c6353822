"""
SMAC's reward and end of battle. Kernels over the unit table of one env.

Source: oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 (reward_battle, update_units, only_medivac_left, step).
"""
from typing import NamedTuple

import numpy as np

from ding_qmix.numba_kernel import kernel
from ding_qmix.schema import FLAG, Rule, number
from ding_qmix.smac.rules import Rules
from ding_qmix.smac.units import HEALTH, SHIELD

ONGOING, WON, LOST, DRAWN = 0, 1, 2, 3  # result of a battle; drawn: both sides died in the same step


class RewardOptions(NamedTuple):
    """SMAC's reward options with SMAC's names and defaults."""
    reward_sparse: bool = False  # only the end counts: +1 won, -1 lost
    reward_only_positive: bool = True  # ignore what the allies lose
    reward_death_value: float = 10.  # [raw reward] per enemy killed
    reward_win: float = 200.  # [raw reward]
    reward_defeat: float = 0.  # [raw reward]
    reward_negative_scale: float = 0.5  # [1] weight of the allies' losses
    reward_scale: bool = True  # scale so that a clean win sums to reward_scale_rate
    reward_scale_rate: float = 20.  # [scaled reward]


_AMOUNT = number(0., 1e6)
REWARD_RULES: dict[str, Rule] = {  # of the options, in their order
    'reward_sparse': FLAG,
    'reward_only_positive': FLAG,
    'reward_death_value': _AMOUNT,
    'reward_win': _AMOUNT,
    'reward_defeat': number(-1e6, 1e6),
    'reward_negative_scale': _AMOUNT,
    'reward_scale': FLAG,
    'reward_scale_rate': number(0., 1e6, above=True),
}


def max_reward(rules: Rules, options: RewardOptions) -> float:
    """Return the raw reward of killing every enemy unit of full health and winning."""
    enemies = slice(rules.n_agents, None)
    vitals = rules.health_max[enemies].sum() + rules.shield_max[enemies].sum()
    return float(rules.n_enemies * options.reward_death_value + options.reward_win + vitals)


def reward_divisor(rules: Rules, options: RewardOptions) -> float:
    """Return what the raw reward is divided by. SMAC scales sparse rewards, too."""
    return max_reward(rules, options) / options.reward_scale_rate if options.reward_scale else 1.


@kernel
def battle_reward(unit: np.ndarray, vitals_before: np.ndarray, rules: Rules, options: RewardOptions) -> float:
    """Return the raw reward of one step; vitals_before float64 [U] is health plus shield before it, 0 if dead."""
    if options.reward_sparse:
        return 0.
    enemy_loss, ally_loss, deaths = 0., 0., 0.
    for u in range(rules.n_agents + rules.n_enemies):
        if vitals_before[u] <= 0.:
            continue
        loss = vitals_before[u] - unit[HEALTH, u] - unit[SHIELD, u]
        died = unit[HEALTH, u] <= 0.
        if u >= rules.n_agents:
            enemy_loss += loss
            deaths += options.reward_death_value * died
        else:
            ally_loss += options.reward_negative_scale * loss
            if not options.reward_only_positive:
                deaths -= options.reward_negative_scale * options.reward_death_value * died
    if options.reward_only_positive:
        return abs(enemy_loss + deaths)  # SMAC's quirk: enemy shields that regenerate add to the reward
    return enemy_loss + deaths - ally_loss


@kernel
def end_reward(result: int, options: RewardOptions) -> float:
    """Return the raw reward of the end of a battle."""
    if result == WON:
        return 1. if options.reward_sparse else options.reward_win
    if result == LOST:
        return -1. if options.reward_sparse else options.reward_defeat
    return 0.


@kernel
def battle_result(unit: np.ndarray, rules: Rules) -> int:
    """Return WON, LOST, DRAWN or ONGOING. On MMM maps a side of nothing but medivacs is beaten."""
    allies, allied_fighters = 0, 0
    for u in range(rules.n_agents):
        if unit[HEALTH, u] > 0.:
            allies += 1
            allied_fighters += not rules.healer[u]
    enemies, enemy_fighters = 0, 0
    for u in range(rules.n_agents, rules.n_agents + rules.n_enemies):
        if unit[HEALTH, u] > 0.:
            enemies += 1
            enemy_fighters += not rules.healer[u]
    if (allies == 0 and enemies > 0) or (rules.medivac_map and allied_fighters == 0):
        return LOST
    # SMAC asks for exactly one living enemy, a medivac; no map has two.
    if (allies > 0 and enemies == 0) or (rules.medivac_map and enemies == 1 and enemy_fighters == 0):
        return WON
    return DRAWN if allies == 0 and enemies == 0 else ONGOING
