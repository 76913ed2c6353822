"""One decision of many battles: orders, eight game loops, reward, end, observation. The only place with threads."""
import numpy as np
from numba import njit, prange

from ding_qmix.sim.arsenal import Army
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.loop import play_step
from ding_qmix.sim.spawn import Start, begin_battle
from ding_qmix.sim.state import Battle, SimState
from ding_qmix.smac.kernel import kernel
from ding_qmix.smac.observation import write_action_mask, write_obs, write_state
from ding_qmix.smac.reward import ONGOING, WON, RewardOptions, battle_result, battle_reward, end_reward
from ding_qmix.smac.rules import Rules
from ding_qmix.smac.units import HEALTH, SHIELD
from ding_qmix.spec import VecStep

LEAVE, STEP, RESET, SHOW = range(4)  # commands to an env; SHOW: show it as it is


@kernel
def find_illegal(actions: np.ndarray, action_mask: np.ndarray, active: np.ndarray) -> int:
    """Return the flat index into actions (int64 [E, N]) of the first illegal one of an active env, -1 if none is."""
    n_envs, n_agents, n_actions = action_mask.shape
    for e in range(n_envs):
        for agent in range(n_agents if active[e] else 0):
            action = actions[e, agent]
            if action < 0 or action >= n_actions or not action_mask[e, agent, action]:
                return e * n_agents + agent
    return -1


@njit(cache=True)
def play_envs(
        commands: np.ndarray, actions: np.ndarray, state: SimState, out: VecStep, start: Start, rules: Rules,
        army: Army, knobs: SimKnobs, options: RewardOptions, divisor: float
) -> None:
    """Carry out one command per env (int8 [E]), one env after another; actions int64 [E, N] matter where it is STEP."""
    for e in range(commands.shape[0]):
        _play_env(e, commands[e], actions[e], state, out, start, rules, army, knobs, options, divisor)


@njit(cache=True, parallel=True)
def play_envs_parallel(
        commands: np.ndarray, actions: np.ndarray, state: SimState, out: VecStep, start: Start, rules: Rules,
        army: Army, knobs: SimKnobs, options: RewardOptions, divisor: float
) -> None:
    """Do what play_envs does with numba's threads; the result is the same."""
    for e in prange(commands.shape[0]):
        _play_env(e, commands[e], actions[e], state, out, start, rules, army, knobs, options, divisor)


@njit(cache=True)
def _play_env(
        e: int, command: int, actions: np.ndarray, state: SimState, out: VecStep, start: Start, rules: Rules,
        army: Army, knobs: SimKnobs, options: RewardOptions, divisor: float
) -> None:
    """Carry out one command in env e, and begin the next episode if it ended this one."""
    if command == LEAVE:
        return
    turn = np.empty(state.unit.shape[2], dtype=np.int32)
    battle = Battle(state.unit[e], state.body[e], state.mind[e], state.rng[e:e + 1], rules.pathable, turn)
    over = False
    if command == STEP:
        over = _decide(e, battle, actions, state, out, rules, army, knobs, options, divisor)
    else:
        _write_result(e, battle.unit, ONGOING, 0., False, rules, out)
    if over:
        _show(battle.unit, state.last_action[e], rules, out.final_obs[e], out.final_state[e], out.final_action_mask[e])
    if over or command == RESET:
        if state.next_rng[e] != np.uint64(0):  # a seed that waited takes effect
            state.rng[e] = state.next_rng[e]
            state.next_rng[e] = np.uint64(0)
        state.last_action[e] = -1
        state.episode_step[e] = 0
        begin_battle(battle, start, army, knobs)
    _show(battle.unit, state.last_action[e], rules, out.obs[e], out.state[e], out.action_mask[e])


@njit(cache=True)
def _decide(
        e: int, battle: Battle, actions: np.ndarray, state: SimState, out: VecStep, rules: Rules, army: Army,
        knobs: SimKnobs, options: RewardOptions, divisor: float
) -> bool:
    """Play one decision in env e, write what it was worth, and say whether the episode is over."""
    vitals_before = battle.unit[HEALTH] + battle.unit[SHIELD]
    play_step(battle, army, knobs, actions)
    state.last_action[e] = actions
    state.episode_step[e] += 1
    result = battle_result(battle.unit, rules)
    reward = battle_reward(battle.unit, vitals_before, rules, options)
    reward = (reward + end_reward(result, options)) / divisor
    late = state.episode_step[e] >= rules.episode_limit
    _write_result(e, battle.unit, result, reward, late, rules, out)
    return result != ONGOING or late


@njit(cache=True)
def _write_result(
        e: int, unit: np.ndarray, result: int, reward: float, late: bool, rules: Rules, out: VecStep
) -> None:
    """Write reward, flags and the number of the dead of env e."""
    out.reward[e] = reward
    out.terminated[e] = result != ONGOING
    out.truncated[e] = late and result == ONGOING
    out.won[e] = result == WON
    out.dead_allies[e] = (unit[HEALTH, :rules.n_agents] <= 0.).sum()
    out.dead_enemies[e] = (unit[HEALTH, rules.n_agents:] <= 0.).sum()


@kernel
def _show(
        unit: np.ndarray, last_action: np.ndarray, rules: Rules, obs_out: np.ndarray, state_out: np.ndarray,
        mask_out: np.ndarray
) -> None:
    """Write what the agents of one env see: obs [N, O], state [S], action mask [N, A]."""
    write_action_mask(unit, rules, mask_out)
    write_obs(unit, last_action, mask_out, rules, obs_out)
    write_state(unit, last_action, rules, state_out)
