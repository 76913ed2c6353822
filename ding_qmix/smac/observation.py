"""
What SMAC shows: legal actions, each agent's observation, the global state. Kernels over the unit table of one env.

``unit_at``, int32 [U], says where in the table the unit is that SMAC numbers u; allies are where their number says.

Source: oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 (get_avail_agent_actions, get_obs_agent, get_state);
style 'ding' adds what DI-engine's dizoo/smac/envs/smac_env.py adds: own last action and agent id.
"""
import math

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.smac.rules import (
    FIRST_TARGET,
    NO_OP,
    NORTH,
    SHOOT_RANGE,
    SIGHT_RANGE,
    STOP,
    Rules,
)
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y
from ding_qmix.smac.view_options import N_PATHING_POINTS


@kernel
def write_action_mask(unit: np.ndarray, unit_at: np.ndarray, rules: Rules, mask_out: np.ndarray) -> None:
    """Write the legal actions, bool [N, A]."""
    mask_out[:] = False
    probe = rules.move_probe
    for agent in range(rules.n_agents):
        if unit[HEALTH, agent] <= 0.:
            mask_out[agent, NO_OP] = True
            continue
        mask_out[agent, STOP] = True
        x, y = unit[X, agent], unit[Y, agent]
        mask_out[agent, NORTH] = _is_pathable(rules, x, y + probe)
        mask_out[agent, NORTH + 1] = _is_pathable(rules, x, y - probe)
        mask_out[agent, NORTH + 2] = _is_pathable(rules, x + probe, y)
        mask_out[agent, NORTH + 3] = _is_pathable(rules, x - probe, y)
        _write_targets(unit, unit_at, rules, agent, mask_out[agent])


@kernel
def write_obs(
        unit: np.ndarray, unit_at: np.ndarray, last_action: np.ndarray, action_mask: np.ndarray, episode_step: int,
        rules: Rules, obs_out: np.ndarray
) -> None:
    """
    Write each agent's observation, float32 [N, O]; last_action int32 [N] (-1 before the first), mask bool [N, A],
    episode_step [env steps] played.
    """
    obs_out[:] = 0.
    options = rules.options
    n_features = obs_out.shape[1]
    id_start = n_features - rules.n_agents if rules.own_last_action else n_features
    action_start = id_start - rules.n_actions if rules.own_last_action else n_features
    for agent in range(rules.n_agents):
        row = obs_out[agent]
        if unit[HEALTH, agent] > 0.:
            for direction in range(4):
                row[direction] = action_mask[agent, NORTH + direction]
            start = _write_pathing(unit, rules, agent, row, 4) if options.obs_pathing_grid else 4
            start = _write_enemies(unit, unit_at, rules, agent, action_mask[agent], row, start)
            start = _write_allies(unit, last_action, rules, agent, row, start)
            _write_vitals(unit, rules, agent, options.obs_own_health, rules.ally_shield, row, start)
            if rules.own_last_action and last_action[agent] >= 0:
                row[action_start + last_action[agent]] = 1.
        if options.obs_timestep_number:  # the dead see it too
            row[action_start - 1] = episode_step / rules.episode_limit
        if rules.own_last_action:
            row[id_start + agent] = 1.


@kernel
def write_state(
        unit: np.ndarray, unit_at: np.ndarray, last_action: np.ndarray, episode_step: int, rules: Rules,
        state_out: np.ndarray
) -> None:
    """
    Write the global state, float32 [S]; last_action int32 [N], -1 before the first; episode_step [env steps] played.
    """
    state_out[:] = 0.
    start = 0
    ally_width = 4 + rules.ally_shield + rules.n_slots
    for agent in range(rules.n_agents):
        if unit[HEALTH, agent] > 0.:
            ready = unit[ENERGY, agent] if rules.healer[agent] else unit[COOLDOWN, agent]
            state_out[start] = unit[HEALTH, agent] / rules.health_max[agent]
            state_out[start + 1] = ready / rules.cooldown_scale[agent]
            _write_place(unit, rules, agent, rules.ally_shield, state_out, start + 2)
        start += ally_width
    enemy_width = 3 + rules.enemy_shield + rules.n_slots
    for enemy in unit_at[rules.n_agents:]:
        if unit[HEALTH, enemy] > 0.:
            state_out[start] = unit[HEALTH, enemy] / rules.health_max[enemy]
            _write_place(unit, rules, enemy, rules.enemy_shield, state_out, start + 1)
        start += enemy_width
    if rules.options.state_last_action:
        for agent in range(rules.n_agents):
            if last_action[agent] >= 0:
                state_out[start + last_action[agent]] = 1.
            start += rules.n_actions
    if rules.options.state_timestep_number:
        state_out[start] = episode_step / rules.episode_limit


@kernel
def write_joint_obs(obs: np.ndarray, state_out: np.ndarray) -> None:
    """Write all agents' observations, float32 [N, O], end to end in place of the state, float32 [N * O]."""
    n_features = obs.shape[1]
    for agent in range(obs.shape[0]):
        for k in range(n_features):
            state_out[agent * n_features + k] = obs[agent, k]


@inline_kernel
def _is_pathable(rules: Rules, x: float, y: float) -> bool:
    """Return whether the cell of a point is on the map and pathable; coordinates are cut towards zero as in SMAC."""
    i, j = int(x), int(y)
    if i < 0 or j < 0 or i >= rules.pathable.shape[0] or j >= rules.pathable.shape[1]:
        return False
    return rules.pathable[i, j]


@inline_kernel
def _write_targets(unit: np.ndarray, unit_at: np.ndarray, rules: Rules, agent: int, row_out: np.ndarray) -> None:
    """Mark living enemies in range, or for a medivac living allies that are not medivacs; row bool [A]."""
    heals = rules.healer[agent]
    first = 0 if heals else rules.n_agents
    count = rules.n_agents if heals else rules.n_enemies
    for i in range(count):
        target = unit_at[first + i]
        if unit[HEALTH, target] <= 0. or (heals and rules.healer[target]):
            continue
        dx, dy = unit[X, target] - unit[X, agent], unit[Y, target] - unit[Y, agent]
        row_out[FIRST_TARGET + i] = dx * dx + dy * dy <= SHOOT_RANGE * SHOOT_RANGE


@inline_kernel
def _write_pathing(unit: np.ndarray, rules: Rules, agent: int, row_out: np.ndarray, start: int) -> int:
    """Write whether 8 points around an agent are pathable, beyond the map they are; return where they end."""
    x, y, size = int(unit[X, agent]), int(unit[Y, agent]), rules.pathable.shape[0]
    for k in range(N_PATHING_POINTS):
        i, j = x + rules.pathing_points[k, 0], y + rules.pathing_points[k, 1]
        inside = 0 <= i < size and 0 <= j < size
        row_out[start + k] = rules.pathable[i, j] if inside else True
    return start + N_PATHING_POINTS


@inline_kernel
def _write_enemies(
        unit: np.ndarray, unit_at: np.ndarray, rules: Rules, agent: int, mask_row: np.ndarray, row_out: np.ndarray,
        start: int
) -> int:
    """Write the enemy block and return where it ends. A medivac's 'attackable' tells of the ally of that number."""
    show_health = rules.options.obs_all_health
    width = 4 + rules.n_slots + (1 + rules.enemy_shield if show_health else 0)
    for i in range(rules.n_enemies):
        enemy = unit_at[rules.n_agents + i]
        if _write_relative(unit, agent, enemy, row_out, start):
            row_out[start] = mask_row[FIRST_TARGET + i]
            _write_vitals(unit, rules, enemy, show_health, rules.enemy_shield, row_out, start + 4)
        start += width
    return start


@inline_kernel
def _write_allies(
        unit: np.ndarray, last_action: np.ndarray, rules: Rules, agent: int, row_out: np.ndarray, start: int
) -> int:
    """Write the block of the other allies and return where it ends."""
    options = rules.options
    vitals = 1 + rules.ally_shield if options.obs_all_health else 0
    width = 4 + vitals + rules.n_slots + (rules.n_actions if options.obs_last_action else 0)
    for other in range(rules.n_agents):
        if other == agent:
            continue
        if _write_relative(unit, agent, other, row_out, start):
            row_out[start] = 1.
            end = _write_vitals(unit, rules, other, options.obs_all_health, rules.ally_shield, row_out, start + 4)
            if options.obs_last_action and last_action[other] >= 0:
                row_out[end + last_action[other]] = 1.
        start += width
    return start


@inline_kernel
def _write_relative(unit: np.ndarray, agent: int, other: int, row_out: np.ndarray, start: int) -> bool:
    """Write distance, dx, dy behind ``start`` if the other lives and is in sight; return whether it was."""
    if unit[HEALTH, other] <= 0.:
        return False
    dx, dy = unit[X, other] - unit[X, agent], unit[Y, other] - unit[Y, agent]
    square = dx * dx + dy * dy
    if square >= SIGHT_RANGE * SIGHT_RANGE:
        return False
    row_out[start + 1] = math.sqrt(square) / SIGHT_RANGE
    row_out[start + 2] = dx / SIGHT_RANGE
    row_out[start + 3] = dy / SIGHT_RANGE
    return True


@inline_kernel
def _write_vitals(
        unit: np.ndarray, rules: Rules, u: int, show_health: bool, show_shield: int, row_out: np.ndarray, start: int
) -> int:
    """Write health and shield, each where shown, type one-hot; return where they end."""
    if show_health:
        row_out[start] = unit[HEALTH, u] / rules.health_max[u]
        start += 1
        if show_shield:
            if rules.shield_max[u] > 0.:
                row_out[start] = unit[SHIELD, u] / rules.shield_max[u]
            start += 1
    if rules.n_slots > 0:
        row_out[start + rules.type_slot[u]] = 1.
    return start + rules.n_slots


@inline_kernel
def _write_place(unit: np.ndarray, rules: Rules, u: int, show_shield: int, state_out: np.ndarray, start: int) -> None:
    """Write centred position, shield where shown, type one-hot into the state."""
    state_out[start] = (unit[X, u] - rules.center_x) / rules.extent_x
    state_out[start + 1] = (unit[Y, u] - rules.center_y) / rules.extent_y
    start += 2
    if show_shield:
        if rules.shield_max[u] > 0.:
            state_out[start] = unit[SHIELD, u] / rules.shield_max[u]
        start += 1
    if rules.n_slots > 0:
        state_out[start + rules.type_slot[u]] = 1.
