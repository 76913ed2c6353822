"""One decision of many battles: orders, eight game loops, reward, end, observation. Kernels over all envs."""
import numpy as np

from ding_qmix.numba_kernel import inline_kernel, inner_kernel, kernel, outer_kernel
from ding_qmix.sim.loop import play_step
from ding_qmix.sim.params import SimParams
from ding_qmix.sim.spawn import begin_battle
from ding_qmix.sim.state import TARGET, VITALS, Battle, FinalUnits, Output, Request, Scratch, SimState
from ding_qmix.smac.observation import write_action_mask, write_joint_obs, write_obs, write_state
from ding_qmix.smac.reward import ONGOING, WON, battle_result, battle_reward, end_reward
from ding_qmix.smac.rules import Rules
from ding_qmix.smac.special_state import write_special_state
from ding_qmix.smac.units import HEALTH, N_FIELDS, SHIELD
from ding_qmix.spec import VecStep

STEP, RESET, SHOW = range(3)  # commands; SHOW: show the battle as it is


@outer_kernel
def play_envs(
        command: int, first: int, last: int, request: Request, state: SimState, scratch: Scratch, params: SimParams,
        out: Output
) -> None:
    """
    Carry out a command in the active envs among first..last - 1.

    Threads may share the envs: what happens in one touches nothing of another.
    """
    for e in range(first, last):
        if request.active[e]:
            _play_env(e, command, request.actions[e], state, scratch, params, out)
        else:
            out.step.reward[e] = 0.
            out.step.terminated[e], out.step.truncated[e], out.step.won[e] = False, False, False


@kernel
def find_illegal(active: np.ndarray, actions: np.ndarray, action_mask: np.ndarray) -> int:
    """Return the flat index into actions (int64 [E, N]) of the first illegal one of an active env, -1 if none is."""
    n_envs, n_agents, n_actions = action_mask.shape
    for e in range(n_envs):
        for agent in range(n_agents if active[e] else 0):
            action = actions[e, agent]
            if action < 0 or action >= n_actions or not action_mask[e, agent, action]:
                return e * n_agents + agent
    return -1


@inline_kernel
def _play_env(
        e: int, command: int, actions: np.ndarray, state: SimState, scratch: Scratch, params: SimParams, out: Output
) -> None:
    """Carry out one command in env e, actions int64 [N]; begin the next episode if it ended this one."""
    pathing, step = params.pathing, out.step
    battle = Battle(
        state.unit[e], state.unit_at[e], state.physical[e], state.decision[e], state.rng[e:e + 1], pathing.footing,
        pathing.route, scratch.floats[e], scratch.ints[e]
    )
    over = False
    if command == STEP:
        over = _decide(e, battle, actions, state, params, step)
        if over:
            _show(e, battle, state, params.rules, step.final_obs, step.final_state, step.final_action_mask)
            _keep_units(e, battle, out.final_units)
    if over or command == RESET:
        is_fresh = state.next_rng[e] != np.uint64(0)
        if is_fresh:  # a seed that waited takes effect
            state.rng[e] = state.next_rng[e]
            state.next_rng[e] = np.uint64(0)
        for agent in range(params.rules.n_agents):
            state.last_action[e, agent] = -1
        state.episode_step[e], state.episode_return[e] = 0, 0.
        begin_battle(battle, params.initial, params.tables, params.calibration, is_fresh)
    if command != STEP:
        _write_result(e, battle.unit, ONGOING, 0., params.rules, state, step)
    _show(e, battle, state, params.rules, step.obs, step.state, step.action_mask)


@inline_kernel
def _decide(e: int, battle: Battle, actions: np.ndarray, state: SimState, params: SimParams, step_out: VecStep) -> bool:
    """Play one decision in env e, write what it was worth, and return whether the episode is over."""
    rules, options = params.rules, params.options
    vitals_before = battle.floats[VITALS]
    for u in range(battle.unit.shape[1]):
        vitals_before[u] = battle.unit[HEALTH, u] + battle.unit[SHIELD, u]
    play_step(battle, params.tables, params.calibration, actions)
    for agent in range(rules.n_agents):
        state.last_action[e, agent] = actions[agent]
    state.episode_step[e] += 1
    result = battle_result(battle.unit, rules)
    reward = battle_reward(battle.unit, vitals_before, rules, options)
    reward = (reward + end_reward(result, options)) / params.divisor
    _write_result(e, battle.unit, result, reward, rules, state, step_out)
    return step_out.terminated[e] or step_out.truncated[e]


@inline_kernel
def _write_result(
        e: int, unit: np.ndarray, result: int, reward: float, rules: Rules, state: SimState, out: VecStep
) -> None:
    """Write reward, flags, the number of the dead, length and return of env e."""
    out.reward[e] = reward
    state.episode_return[e] += out.reward[e]  # as float32, which is what is shown
    out.episode_len[e], out.episode_return[e] = state.episode_step[e], state.episode_return[e]
    out.terminated[e] = result != ONGOING
    out.truncated[e] = result == ONGOING and state.episode_step[e] >= rules.episode_limit
    out.won[e] = result == WON
    out.dead_allies[e], out.dead_enemies[e] = 0, 0
    for u in range(rules.n_agents):
        out.dead_allies[e] += unit[HEALTH, u] <= 0.
    for u in range(rules.n_agents, unit.shape[1]):
        out.dead_enemies[e] += unit[HEALTH, u] <= 0.


@inline_kernel
def _keep_units(e: int, battle: Battle, final_out: FinalUnits) -> None:
    """Copy the units of env e, whose episode has ended."""
    for u in range(battle.unit.shape[1]):
        for row in range(N_FIELDS):
            final_out.unit[e, row, u] = battle.unit[row, u]
        final_out.unit_at[e, u] = battle.unit_at[u]
        final_out.target[e, u] = battle.decision[TARGET, u]


@inner_kernel
def _show(
        e: int, battle: Battle, state: SimState, rules: Rules, obs_out: np.ndarray, state_out: np.ndarray,
        mask_out: np.ndarray
) -> None:
    """Write what the agents of env e see: obs [E, N, O], state [E, S], action mask [E, N, A]."""
    unit, unit_at = battle.unit, battle.unit_at
    write_action_mask(unit, unit_at, rules, mask_out[e])
    write_obs(unit, unit_at, state.last_action[e], mask_out[e], state.episode_step[e], rules, obs_out[e])
    if rules.special_state:
        write_special_state(unit, unit_at, state.last_action[e], mask_out[e], rules, state_out[e])
    elif rules.options.obs_instead_of_state:
        write_joint_obs(obs_out[e], state_out[e])
    else:
        write_state(unit, unit_at, state.last_action[e], state.episode_step[e], rules, state_out[e])
