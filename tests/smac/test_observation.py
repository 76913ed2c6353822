import math

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, UNIT_NAMES, X, Y

MARAUDER, MARINE, MEDIVAC = 0, 2, 9  # agents of MMM: two marauders, seven marines, one medivac
E_MARINE, E_MARAUDER, E_MEDIVAC = 10, 17, 19  # enemies of MMM, in order of creation


def shown(map_name='MMM', obs_style='smac', **table):
    """Return an env and what it shows with rows of the unit table overwritten: table[u] = {field: value}."""
    env = SimVecEnv(map_name, 1, obs_style=obs_style, n_threads=1, calibration=Calibration(permute_enemies=False))
    env.reset()
    for u, fields in table.items():
        for field, value in fields.items():
            env._state.unit[0, field, int(u[1:])] = value
    saved = env.state_dict()
    env.load_state_dict(saved)
    return env, env.observe()


@pytest.mark.unittest
def test_agents_of_mmm_are_sorted_by_type_and_enemies_as_created_if_told():
    names = [UNIT_NAMES[t] for t in shown()[0].units().unit_type[0]]
    assert names[:10] == ['marauder'] * 2 + ['marine'] * 7 + ['medivac']
    assert names[10:] == ['marine'] * 7 + ['marauder'] * 2 + ['medivac']


@pytest.mark.unittest
def test_agents_of_one_type_are_sorted_by_x_then_y():
    env = SimVecEnv('8m', 1, n_threads=1)
    env.reset()
    unit = env._params.initial.unit
    places = [(unit[X, u], unit[Y, u]) for u in range(8)]
    assert places == sorted(places)


@pytest.mark.unittest
def test_enemy_features_are_distance_direction_health_and_type():
    _, step = shown(u2={X: 10., Y: 16.}, u10={X: 13., Y: 20., HEALTH: 30.})
    row = step.obs[0, MARINE, 4:12]
    np.testing.assert_allclose(row, [1., 5 / 9, 3 / 9, 4 / 9, 30 / 45, 0., 1., 0.], rtol=1e-6)
    assert step.action_mask[0, MARINE, FIRST_TARGET]


@pytest.mark.unittest
def test_enemy_out_of_shoot_range_is_seen_but_not_attackable():
    _, step = shown(u2={X: 10., Y: 16.}, u10={X: 16.01, Y: 16.})
    assert step.obs[0, MARINE, 4] == 0. and step.obs[0, MARINE, 5] > 0.
    assert not step.action_mask[0, MARINE, FIRST_TARGET]


@pytest.mark.unittest
def test_sight_is_strict_and_shoot_range_is_not():
    _, step = shown(u2={X: 10., Y: 16.}, u10={X: 19., Y: 16.}, u11={X: 16., Y: 16.})
    assert not step.obs[0, MARINE, 4:12].any()
    assert step.obs[0, MARINE, 12] == 1.


@pytest.mark.unittest
def test_dead_and_unseen_units_are_all_zero():
    _, step = shown(u2={X: 10., Y: 16.}, u10={X: 12., Y: 16., HEALTH: 0.})
    assert not step.obs[0, MARINE, 4:12].any()


@pytest.mark.unittest
def test_ally_features_skip_the_agent_itself():
    _, step = shown(u2={X: 10., Y: 16.}, u3={X: 10., Y: 13., HEALTH: 9.})
    start = 4 + 10 * 8 + MARINE * 8  # agent 3 is the block of index 2 for agent 2
    np.testing.assert_allclose(step.obs[0, MARINE, start:start + 8], [1., 3 / 9, 0., -3 / 9, .2, 0., 1., 0.], rtol=1e-6)


@pytest.mark.unittest
def test_own_features_are_health_and_type():
    _, step = shown(u9={HEALTH: 75.})
    assert step.obs[0, MEDIVAC, -4:].tolist() == [.5, 0., 0., 1.]


@pytest.mark.unittest
def test_dead_agent_sees_nothing_and_may_do_nothing():
    _, step = shown(u2={HEALTH: 0.})
    assert not step.obs[0, MARINE].any()
    assert np.flatnonzero(step.action_mask[0, MARINE]).tolist() == [NO_OP]


@pytest.mark.unittest
def test_dead_agent_keeps_its_id_in_style_ding():
    _, step = shown(obs_style='ding', u2={HEALTH: 0.})
    assert np.flatnonzero(step.obs[0, MARINE]).tolist() == [186 - 10 + MARINE]


@pytest.mark.unittest
def test_medivac_may_heal_allies_in_range_but_no_medivac_even_if_whole():
    _, step = shown(u9={X: 10., Y: 16.}, u2={X: 12., Y: 16.}, u3={X: 20., Y: 16.}, u4={HEALTH: 0.})
    mask = step.action_mask[0, MEDIVAC]
    assert mask[FIRST_TARGET + 2] and not mask[FIRST_TARGET + 3] and not mask[FIRST_TARGET + 4]
    assert not mask[FIRST_TARGET + MEDIVAC] and mask[STOP] and not mask[NO_OP]


@pytest.mark.unittest
def test_medivac_sees_an_enemy_as_attackable_if_the_ally_of_that_number_can_be_healed():
    near, far = {X: 12., Y: 16.}, {X: 20., Y: 16.}
    _, step = shown(u9={X: 10., Y: 16.}, u2=near, u3=far, u12=near, u13=near)
    assert step.obs[0, MEDIVAC, 4 + 2 * 8] == 1. and step.obs[0, MEDIVAC, 4 + 3 * 8] == 0.


@pytest.mark.unittest
def test_move_is_legal_where_the_cell_one_ahead_is_pathable():
    _, step = shown(u2={X: 2.9, Y: 7.9})
    mask = step.action_mask[0, MARINE]
    assert mask[NORTH] and mask[EAST] and not mask[SOUTH] and not mask[WEST]
    assert step.obs[0, MARINE, :4].tolist() == [1., 0., 1., 0.]


@pytest.mark.unittest
def test_state_shows_cooldown_or_energy_and_centred_place():
    _, step = shown(u2={X: 10., Y: 20., HEALTH: 9., COOLDOWN: 3.}, u9={ENERGY: 60.}, u19={X: 24., Y: 8., HEALTH: 75.})
    state = step.state[0]
    np.testing.assert_allclose(state[14:21], [.2, .2, -6 / 28, 4 / 28, 0., 1., 0.], rtol=1e-6)
    assert state[9 * 7 + 1] == pytest.approx(.3)
    enemy = 10 * 7 + 9 * 6
    np.testing.assert_allclose(state[enemy:enemy + 6], [.5, 8 / 28, -8 / 28, 0., 0., 1.], rtol=1e-6)


@pytest.mark.unittest
def test_state_ends_with_last_actions_zero_at_reset():
    env, step = shown('3m')
    assert not step.state[0, -27:].any()
    step = env.step(np.full((1, 3), STOP))
    assert step.state[0, -27:].reshape(3, 9).argmax(1).tolist() == [STOP] * 3


@pytest.mark.unittest
def test_style_ding_appends_own_last_action_and_agent_id():
    env = SimVecEnv('3m', 1, n_threads=1)
    first = env.reset().obs[0].copy()
    assert first[:, 30:39].sum() == 0. and np.array_equal(first[:, 39:], np.eye(3))
    step = env.step(np.array([[STOP, NORTH, EAST]]))
    assert step.obs[0, :, 30:39].argmax(1).tolist() == [STOP, NORTH, EAST]


@pytest.mark.unittest
def test_styles_agree_on_what_they_share():
    ding, smac = (SimVecEnv('MMM', 1, seed=3, obs_style=style, n_threads=1) for style in ('ding', 'smac'))
    np.testing.assert_array_equal(ding.reset().obs[:, :, :160], smac.reset().obs)


@pytest.mark.unittest
def test_distance_is_euclidean():
    _, step = shown(u2={X: 10., Y: 16.}, u10={X: 11., Y: 17.})
    assert step.obs[0, MARINE, 5] == pytest.approx(math.sqrt(2.) / 9.)
