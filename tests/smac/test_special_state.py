"""One view of the battle per agent: sizes, hand-made numbers, a reference implementation on random tables."""
from typing import Optional

import numpy as np
import pytest
from every_map import battle_after, random_actions, unit_records
from reference.smac import Unit
from reference.special_state import ReferenceViews

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.scenarios import SCENARIOS, make_spec
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y
from ding_qmix.spec import VecStep

# Length of one agent's view, from the size formulas of DI-engine's SMAC env, with which its published configs agree.
VIEW_DIM = {
    '3m': 77,
    '8m': 247,
    '25m': 1199,
    '5m_vs_6m': 152,
    '8m_vs_9m': 263,
    '10m_vs_11m': 347,
    '27m_vs_30m': 1454,
    'MMM': 389,
    'MMM2': 431,
    '2s3z': 169,
    '3s5z': 295,
    '3s5z_vs_3s6z': 314,
    '3s_vs_3z': 83,
    '3s_vs_4z': 95,
    '3s_vs_5z': 107,
    '1c3s5z': 359,
    '2m_vs_1z': 40,
    'corridor': 431,
    '6h_vs_8z': 209,
    '2s_vs_1sc': 41,
    'so_many_baneling': 591,
    'bane_vs_bane': 1223,
    '2c_vs_64zg': 671,
}


def _env(map_name: str, death_mask: bool = False) -> SimVecEnv:
    calibration = Calibration(permute_enemies=False)
    env = SimVecEnv(map_name, 1, special_global_state=True, death_mask=death_mask, n_threads=1, calibration=calibration)
    env.reset()
    return env


def _shown(env: SimVecEnv, last_action: Optional[list[int]] = None, **rows: dict[int, float]) -> np.ndarray:
    """Views [N, G] of a table of units of full health in the map's middle, with fields overwritten: u3={X: 1.}."""
    unit, rules = env._state.unit[0], env._params.rules
    unit[:] = 0.
    unit[X], unit[Y], unit[HEALTH], unit[SHIELD] = 16., 16., rules.health_max, rules.shield_max
    for name, fields in rows.items():
        for field, value in fields.items():
            unit[field, int(name[1:])] = value
    env._state.last_action[0] = -1 if last_action is None else last_action
    env.load_state_dict(env.state_dict())
    return env.observe().state[0].reshape(env.spec.state_shape)


def _reference_views(env: SimVecEnv, reference: ReferenceViews, units: list[Unit],
                     mask: np.ndarray) -> list[list[float]]:
    """The reference implementation's views of units and the actions played last."""
    n_agents = env.spec.n_agents
    actions = env._state.last_action[0].tolist()
    return reference.views(units[:n_agents], units[n_agents:], actions, mask.tolist())


def _reference(map_name: str, death_mask: bool) -> ReferenceViews:
    scenario = SCENARIOS[map_name]
    return ReferenceViews(scenario.map_type, scenario.ally_race, scenario.enemy_race, death_mask)


@pytest.mark.unittest
def test_sizes_of_all_maps() -> None:
    specs = {name: make_spec(name, special_global_state=True) for name in SCENARIOS}
    assert {name: spec.state_shape
            for name, spec in specs.items()
            } == {name: (SCENARIOS[name].n_agents, dim)
                  for name, dim in VIEW_DIM.items()}
    assert all(spec.state_dim == spec.n_agents * VIEW_DIM[name] for name, spec in specs.items())
    assert make_spec('3m').state_shape == (48, )


@pytest.mark.unittest
def test_view_of_marines_by_hand() -> None:
    view = _shown(
        _env('3m'),
        last_action=[4, 1, -1],
        u0={
            X: 8.,
            Y: 16.
        },
        u1={
            X: 11.,
            Y: 20.,
            HEALTH: 9.,
            COOLDOWN: 3.
        },
        u2={
            X: 8.,
            Y: 28.,
            HEALTH: 45.
        },
        u3={
            X: 14.,
            Y: 16.,
            HEALTH: 30.
        },
        u4={
            X: 8.,
            Y: 4.
        },
        u5={
            HEALTH: 0.,
            X: 8.
        },
    )[0]
    expected = [1., 5 / 9, 3 / 9, 4 / 9, .2, .2, -5 / 28, 4 / 28, 0, 1, 0, 0, 0, 0, 0, 0, 0]  # ally 1: in sight
    expected += [0., 12 / 9, 0., 12 / 9, 0., 1., -8 / 28, 12 / 28] + [0.] * 9  # ally 2: out of sight, shown the same
    expected += [1., 6 / 9, 6 / 9, 0., 1., 30 / 45, -2 / 28, 0.]  # enemy 0: within 6
    expected += [0., 12 / 9, 0., -12 / 9, 0., 1., -8 / 28, -12 / 28]  # enemy 1: far
    expected += [0.] * 8  # enemy 2: dead
    expected += [1., 0., 0., 0., 1., -8 / 28, 0., 0, 0, 0, 0, 1, 0, 0, 0, 0]  # itself, last action east
    np.testing.assert_allclose(view, [*expected, 1., 0., 0.], rtol=1e-6)


@pytest.mark.unittest
def test_medivac_shows_energy_and_its_type() -> None:
    view = _shown(_env('MMM'), u9={ENERGY: 50., COOLDOWN: 9.})[0]
    np.testing.assert_allclose(view[8 * 27:8 * 27 + 11], [1., 0., 0., 0., .25, 1., 0., 0., 0., 0., 1.])  # ninth other


@pytest.mark.unittest
def test_protoss_show_shields_and_the_two_sides_types_differ() -> None:
    stalker = {SHIELD: 20., X: 20., Y: 20.}
    view = _shown(_env('3s5z'), u1=stalker, u8={SHIELD: 40., HEALTH: 40., X: 24.})[0]
    np.testing.assert_allclose(view[5:11], [1., .25, 4 / 28, 4 / 28, 1., 0.])
    enemy = view[7 * 25:7 * 25 + 11]
    np.testing.assert_allclose(enemy, [0., 8 / 9, 8 / 9, 0., 1., .5, .5, 0., 1., 8 / 28, 0.], rtol=1e-6)


@pytest.mark.unittest
def test_dead_agent_sees_no_directions_and_masked_it_shows_its_id_alone() -> None:
    rows = dict(u0={HEALTH: 0., X: 12.}, u3={X: 14.})
    open_eyed, masked = (_shown(_env('3m', death_mask), [0, 1, 1], **rows)[0] for death_mask in (False, True))
    np.testing.assert_allclose(open_eyed[:8], [0., 0., 0., 0., 0., 1., 0., 0.])
    np.testing.assert_allclose(open_eyed[34:42], [0., 0., 0., 0., 0., 1., -2 / 28, 0.])
    np.testing.assert_allclose(open_eyed[58:], [1., 0., 0., 0., 0., -4 / 28, 0., 1.] + [0.] * 8 + [1., 0., 0.])
    assert masked.tolist() == [0.] * 74 + [1., 0., 0.]


@pytest.mark.unittest
def test_death_mask_needs_the_views() -> None:
    with pytest.raises(ValueError, match='death_mask'):
        SimVecEnv('3m', 1, death_mask=True)


@pytest.mark.unittest
@pytest.mark.parametrize('death_mask', [False, True])
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_views_equal_the_reference_implementations(map_name: str, death_mask: bool) -> None:
    env, rng = _env(map_name, death_mask), np.random.default_rng(0)
    unit, rules = env._state.unit[0], env._params.rules
    n_units = unit.shape[1]
    unit[X], unit[Y] = rng.uniform(2., 30., (2, n_units))
    unit[HEALTH] = rules.health_max * rng.uniform(0.1, 1., n_units) * (rng.random(n_units) < 0.8)
    unit[SHIELD] = rules.shield_max * rng.uniform(0., 1., n_units) * (unit[HEALTH] > 0.)
    unit[ENERGY], unit[COOLDOWN] = rng.uniform(0., 200., n_units), rng.uniform(0., 30., n_units)
    env._state.last_action[0] = rng.integers(-1, rules.n_actions, rules.n_agents)
    env.load_state_dict(env.state_dict())
    step = env.observe()
    reference = _reference_views(env, _reference(map_name, death_mask), unit_records(env), step.action_mask[0])
    np.testing.assert_allclose(step.state[0].reshape(-1, VIEW_DIM[map_name]), reference, rtol=1e-6, atol=1e-7)


def _play_to_the_end(env: SimVecEnv, plain: SimVecEnv) -> tuple[VecStep, np.ndarray, list[Unit]]:
    """Play both alike until an episode ends; return its last step and actions, and the units at its end."""
    step, rng = env.reset(), np.random.default_rng(0)
    other = plain.reset()
    while True:
        actions = random_actions(step, rng)
        units = unit_records(env, battle_after(env, 0, actions[0]))
        step, other = env.step(actions), plain.step(actions)
        for name in ('obs', 'reward', 'action_mask', 'terminated', 'truncated'):
            assert np.array_equal(getattr(step, name), getattr(other, name))
        if step.terminated[0] or step.truncated[0]:
            return step, actions, units


@pytest.mark.unittest
def test_the_last_view_of_an_episode_is_of_its_end_and_the_rest_is_as_without_views() -> None:
    env = SimVecEnv('MMM', 1, special_global_state=True, n_threads=1)
    step, actions, units = _play_to_the_end(env, SimVecEnv('MMM', 1, n_threads=1))
    env._state.last_action[0] = actions[0]
    reference = _reference_views(env, _reference('MMM', False), units, step.final_action_mask[0])
    np.testing.assert_allclose(step.final_state[0].reshape(env.spec.state_shape), reference, rtol=1e-6, atol=1e-7)
