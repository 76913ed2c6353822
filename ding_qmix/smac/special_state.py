"""
One view of the whole battle per agent: what DI-engine's actor-critic policies take for the state. Kernels over the unit
table of one env.

An agent's view is laid out as: the other allies in order [in sight, distance, dx, dy, cooldown or energy, health,
(shield), x, y, type, last action], the enemies [attackable, distance, dx, dy, in sight, health, (shield), type, x, y],
the agent itself [1, 0, 0, 0, health, (shield), x, y, type, last action], its id. Shields and types only where SMAC
shows them. Distances are in units of the sight range but reach beyond it; x and y are centred as in the global state.

Source: DI-engine dizoo/smac/envs/smac_env.py @ 0.5.3 (get_state_agent).
"""
import math

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.smac.rules import FIRST_TARGET, SIGHT_RANGE, Rules
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y


@kernel
def write_special_state(
        unit: np.ndarray, unit_at: np.ndarray, last_action: np.ndarray, action_mask: np.ndarray, rules: Rules,
        state_out: np.ndarray
) -> None:
    """
    Write all agents' views end to end, float32 [N * G]; unit_at int32 [U] as for ``write_obs``, last_action int32
    [N] (-1 before the first), mask bool [N, A].

    Of dead units nothing is shown but a dead agent itself: in its own view with health 0, without what is relative to
    it; or, under the rules' death_mask, with nothing but its id.
    """
    state_out[:] = 0.
    width = state_out.shape[0] // rules.n_agents
    for agent in range(rules.n_agents):
        row = state_out[agent * width:(agent + 1) * width]
        row[width - rules.n_agents + agent] = 1.
        if rules.death_mask and unit[HEALTH, agent] <= 0.:
            continue
        start = _write_others(unit, last_action, rules, agent, row)
        start = _write_foes(unit, unit_at, action_mask[agent], rules, agent, row, start)
        row[start] = 1.
        _write_ally(unit, last_action[agent], rules, agent, row, start + 4)


@inline_kernel
def _write_others(unit: np.ndarray, last_action: np.ndarray, rules: Rules, agent: int, row_out: np.ndarray) -> int:
    """Write the blocks of the other allies and return where they end."""
    width = 8 + rules.ally_shield + rules.n_slots + rules.n_actions
    start = 0
    for other in range(rules.n_agents):
        if other == agent:
            continue
        if unit[HEALTH, other] > 0.:
            row_out[start] = _write_direction(unit, agent, other, row_out, start + 1)
            ready = unit[ENERGY, other] if rules.healer[other] else unit[COOLDOWN, other]
            row_out[start + 4] = ready / rules.cooldown_scale[other]
            _write_ally(unit, last_action[other], rules, other, row_out, start + 5)
        start += width
    return start


@inline_kernel
def _write_foes(
        unit: np.ndarray, unit_at: np.ndarray, mask_row: np.ndarray, rules: Rules, agent: int, row_out: np.ndarray,
        start: int
) -> int:
    """Write the blocks of the enemies and return where they end; bool [A] mask. A medivac's mask tells of allies."""
    width = 8 + rules.enemy_shield + rules.n_slots
    for i in range(rules.n_enemies):
        enemy = unit_at[rules.n_agents + i]
        if unit[HEALTH, enemy] > 0.:
            row_out[start + 4] = _write_direction(unit, agent, enemy, row_out, start + 1)
            row_out[start] = mask_row[FIRST_TARGET + i]  # a dead agent's mask is False here
            vitals_end = _write_vitals(unit, rules, enemy, rules.enemy_shield, row_out, start + 5)
            if rules.n_slots > 0:
                row_out[vitals_end + rules.type_slot[enemy]] = 1.
            _write_place(unit, rules, enemy, row_out, vitals_end + rules.n_slots)
        start += width
    return start


@inline_kernel
def _write_ally(unit: np.ndarray, action: int, rules: Rules, ally: int, row_out: np.ndarray, start: int) -> None:
    """Write health, shield, place, type and last action of an ally."""
    start = _write_vitals(unit, rules, ally, rules.ally_shield, row_out, start)
    _write_place(unit, rules, ally, row_out, start)
    start += 2
    if rules.n_slots > 0:
        row_out[start + rules.type_slot[ally]] = 1.
    if action >= 0:
        row_out[start + rules.n_slots + action] = 1.


@inline_kernel
def _write_direction(unit: np.ndarray, agent: int, other: int, row_out: np.ndarray, start: int) -> bool:
    """Write distance, dx, dy if the agent lives; return whether it sees the other, which lives."""
    if unit[HEALTH, agent] <= 0.:
        return False
    dx, dy = unit[X, other] - unit[X, agent], unit[Y, other] - unit[Y, agent]
    square = dx * dx + dy * dy
    row_out[start] = math.sqrt(square) / SIGHT_RANGE
    row_out[start + 1] = dx / SIGHT_RANGE
    row_out[start + 2] = dy / SIGHT_RANGE
    return square < SIGHT_RANGE * SIGHT_RANGE


@inline_kernel
def _write_vitals(unit: np.ndarray, rules: Rules, u: int, show_shield: int, row_out: np.ndarray, start: int) -> int:
    """Write health, and shield where shown; return where they end."""
    row_out[start] = unit[HEALTH, u] / rules.health_max[u]
    if show_shield and rules.shield_max[u] > 0.:
        row_out[start + 1] = unit[SHIELD, u] / rules.shield_max[u]
    return start + 1 + show_shield


@inline_kernel
def _write_place(unit: np.ndarray, rules: Rules, u: int, row_out: np.ndarray, start: int) -> None:
    """Write the centred position."""
    row_out[start] = (unit[X, u] - rules.center_x) / rules.extent_x
    row_out[start + 1] = (unit[Y, u] - rules.center_y) / rules.extent_y
