"""Pure functions of reinforcement learning: targets, losses, exploration."""
from ding_qmix.rl_utils.exploration import epsilon_greedy, greedy_action
from ding_qmix.rl_utils.td import masked_td_loss, td_lambda_target
from ding_qmix.rl_utils.td_sums import TDSums, concatenate_sums, td_sums

__all__ = [
    'TDSums', 'concatenate_sums', 'epsilon_greedy', 'greedy_action', 'masked_td_loss', 'td_lambda_target', 'td_sums'
]
