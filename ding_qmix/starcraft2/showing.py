"""What a battle of the game was worth and what it shows: SMAC's rules over its unit table. Kernels over one env."""
import numpy as np

from ding_qmix.numba_kernel import kernel
from ding_qmix.smac.observation import write_action_mask, write_joint_obs, write_obs, write_state
from ding_qmix.smac.reward import ONGOING, WON, RewardOptions, battle_result, battle_reward, end_reward
from ding_qmix.smac.rules import Rules
from ding_qmix.smac.special_state import write_special_state
from ding_qmix.smac.units import HEALTH, SHIELD
from ding_qmix.spec import VecStep


@kernel
def note_vitals(unit: np.ndarray, vitals_out: np.ndarray) -> None:
    """Write health plus shield of each unit, float64 [U], as it is before a step."""
    for u in range(unit.shape[1]):
        vitals_out[u] = unit[HEALTH, u] + unit[SHIELD, u]


@kernel
def score_step(
        e: int, unit: np.ndarray, vitals_before: np.ndarray, rules: Rules, options: RewardOptions, divisor: float,
        out: VecStep
) -> bool:
    """
    Write what an env step of env e was worth and how it ended; return whether the episode is over.

    ``out`` has length and return of the episode so far.
    """
    result = battle_result(unit, rules)
    reward = battle_reward(unit, vitals_before, rules, options) + end_reward(result, options)
    out.reward[e] = reward / divisor
    out.episode_len[e] += 1
    out.episode_return[e] += out.reward[e]  # as float32, which is what is shown
    out.terminated[e] = result != ONGOING
    out.truncated[e] = result == ONGOING and out.episode_len[e] >= rules.episode_limit
    out.won[e] = result == WON
    out.dead_allies[e], out.dead_enemies[e] = 0, 0
    for u in range(rules.n_agents):
        out.dead_allies[e] += unit[HEALTH, u] <= 0.
    for u in range(rules.n_agents, unit.shape[1]):
        out.dead_enemies[e] += unit[HEALTH, u] <= 0.
    return out.terminated[e] or out.truncated[e]


@kernel
def show(
        unit: np.ndarray, unit_at: np.ndarray, last_action: np.ndarray, episode_step: int, rules: Rules,
        obs_out: np.ndarray, state_out: np.ndarray, mask_out: np.ndarray
) -> None:
    """
    Write what agents see: obs [N, O], state [S], action mask [N, A]; unit_at int32 [U], where in the table the unit of
    a number is; last_action int32 [N], -1 before the first; episode_step is [env steps] of the episode.
    """
    write_action_mask(unit, unit_at, rules, mask_out)
    write_obs(unit, unit_at, last_action, mask_out, episode_step, rules, obs_out)
    if rules.special_state:
        write_special_state(unit, unit_at, last_action, mask_out, rules, state_out)
    elif rules.options.obs_instead_of_state:
        write_joint_obs(obs_out, state_out)
    else:
        write_state(unit, unit_at, last_action, episode_step, rules, state_out)
