"""One view of the battle per agent: sizes of all maps, hand-made numbers, and its slow twin on random tables."""
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
from reference.special_state import Side, agent_views

from ding_qmix.scenarios import SCENARIOS, make_spec
from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.observation import write_action_mask
from ding_qmix.smac.rules import Rules, created_units, make_rules
from ding_qmix.smac.special_state import write_special_state
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, N_FIELDS, SHIELD, UNIT_STATS, X, Y

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


def _rules(map_name: str, death_mask: bool = False) -> Rules:
    """Rules of a map, its units numbered as created."""
    scenario = SCENARIOS[map_name]
    order = np.arange(len(created_units(scenario)))
    return make_rules(scenario, order, 'ding', special_global_state=True, death_mask=death_mask)


def _views(rules: Rules, unit: np.ndarray, last_action: List[int]) -> Tuple[np.ndarray, np.ndarray]:
    """Views [N, G] and legal actions [N, A] of a unit table."""
    mask = np.zeros((rules.n_agents, rules.n_actions), bool)
    write_action_mask(unit, rules, mask)
    own = 7 + rules.ally_shield + rules.n_slots + rules.n_actions
    enemies = rules.n_enemies * (8 + rules.enemy_shield + rules.n_slots)
    out = np.full((rules.n_agents, (rules.n_agents - 1) * (own + 1) + enemies + own + rules.n_agents), 7., np.float32)
    write_special_state(unit, np.array(last_action, np.int32), mask, rules, out.reshape(-1))
    return out, mask


def _table(rules: Rules, **rows: Dict[int, float]) -> np.ndarray:
    """A unit table of full health in the map's middle, with fields overwritten: u3={X: 1.}."""
    unit = np.zeros((N_FIELDS, len(rules.unit_type)))
    unit[X], unit[Y], unit[HEALTH], unit[SHIELD] = 16., 16., rules.health_max, rules.shield_max
    for name, fields in rows.items():
        for field, value in fields.items():
            unit[field, int(name[1:])] = value
    return unit


@pytest.mark.unittest
def test_sizes_of_all_maps() -> None:
    specs = {name: make_spec(name, special_global_state=True) for name in SCENARIOS}
    assert {name: spec.state_shape for name, spec in specs.items()} == {
        name: (SCENARIOS[name].n_agents, dim) for name, dim in VIEW_DIM.items()
    }
    assert all(spec.state_dim == spec.n_agents * VIEW_DIM[name] for name, spec in specs.items())
    assert make_spec('3m').state_shape == (48, )


@pytest.mark.unittest
def test_view_of_marines_by_hand() -> None:
    rules = _rules('3m')
    unit = _table(
        rules,
        u0={X: 8., Y: 16.},
        u1={X: 11., Y: 20., HEALTH: 9., COOLDOWN: 3.},
        u2={X: 8., Y: 28., HEALTH: 45.},
        u3={X: 14., Y: 16., HEALTH: 30.},
        u4={X: 8., Y: 4.},
        u5={HEALTH: 0., X: 8.},
    )
    view = _views(rules, unit, [4, 1, -1])[0][0]
    expected = [1., 5 / 9, 3 / 9, 4 / 9, .2, .2, -5 / 32, 4 / 32, 0, 1, 0, 0, 0, 0, 0, 0, 0]  # ally 1: in sight
    expected += [0., 12 / 9, 0., 12 / 9, 0., 1., -8 / 32, 12 / 32] + [0.] * 9  # ally 2: out of sight, shown all the same
    expected += [1., 6 / 9, 6 / 9, 0., 1., 30 / 45, -2 / 32, 0.]  # enemy 0: within 6
    expected += [0., 12 / 9, 0., -12 / 9, 0., 1., -8 / 32, -12 / 32]  # enemy 1: far
    expected += [0.] * 8  # enemy 2: dead
    expected += [1., 0., 0., 0., 1., -8 / 32, 0., 0, 0, 0, 0, 1, 0, 0, 0, 0]  # itself, last action east
    np.testing.assert_allclose(view, [*expected, 1., 0., 0.], rtol=1e-6)


@pytest.mark.unittest
def test_medivac_shows_energy_and_its_type() -> None:
    rules = _rules('MMM')  # as created: 7 marines, 2 marauders, 1 medivac
    unit = _table(rules, u9={ENERGY: 50., COOLDOWN: 9.})
    block = _views(rules, unit, [-1] * 10)[0][0].reshape(-1)[8 * 27:9 * 27]  # the ninth other ally
    np.testing.assert_allclose(block[:11], [1., 0., 0., 0., .25, 1., 0., 0., 0., 0., 1.])


@pytest.mark.unittest
def test_protoss_show_shields_and_the_two_sides_types_differ() -> None:
    rules = _rules('3s5z')  # stalkers first on both sides
    unit = _table(rules, u1={SHIELD: 20., X: 20., Y: 20.}, u8={SHIELD: 40., HEALTH: 40., X: 24.})
    view = _views(rules, unit, [-1] * 8)[0][0]
    np.testing.assert_allclose(view[5:11], [1., .25, 4 / 32, 4 / 32, 1., 0.])
    start = 7 * 25
    np.testing.assert_allclose(view[start:start + 11], [0., 8 / 9, 8 / 9, 0., 1., .5, .5, 0., 1., 8 / 32, 0.], rtol=1e-6)


@pytest.mark.unittest
def test_dead_agent_sees_no_directions_and_masked_it_shows_its_id_alone() -> None:
    rows = dict(u0={HEALTH: 0., X: 12.}, u3={X: 14.})
    open_eyed, masked = (
        _views(rules, _table(rules, **rows), [0, 1, 1])[0][0] for rules in (_rules('3m'), _rules('3m', True))
    )
    np.testing.assert_allclose(open_eyed[:8], [0., 0., 0., 0., 0., 1., 0., 0.])
    np.testing.assert_allclose(open_eyed[34:42], [0., 0., 0., 0., 0., 1., -2 / 32, 0.])
    np.testing.assert_allclose(open_eyed[58:], [1., 0., 0., 0., 0., -4 / 32, 0., 1.] + [0.] * 8 + [1., 0., 0.])
    assert masked.tolist() == [0.] * 74 + [1., 0., 0.]


@pytest.mark.unittest
def test_death_mask_needs_the_views() -> None:
    scenario = SCENARIOS['3m']
    with pytest.raises(ValueError, match='death_mask'):
        make_rules(scenario, np.arange(6), 'ding', death_mask=True)


@pytest.mark.unittest
@pytest.mark.parametrize('death_mask', [False, True])
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_views_equal_the_slow_twins(map_name: str, death_mask: bool) -> None:
    rng, scenario, rules = np.random.default_rng(0), SCENARIOS[map_name], _rules(map_name, death_mask)
    n_agents, n_units = rules.n_agents, len(rules.unit_type)
    unit = np.zeros((N_FIELDS, n_units))
    unit[X], unit[Y] = rng.uniform(2., 30., (2, n_units))
    unit[HEALTH] = rules.health_max * rng.uniform(0.1, 1., n_units) * (rng.random(n_units) < 0.8)
    unit[SHIELD] = rules.shield_max * rng.uniform(0., 1., n_units) * (unit[HEALTH] > 0.)
    unit[ENERGY], unit[COOLDOWN] = rng.uniform(0., 200., n_units), rng.uniform(0., 30., n_units)
    actions = rng.integers(-1, rules.n_actions, n_agents).tolist()
    views, mask = _views(rules, unit, actions)
    units: List[Dict[str, Any]] = [
        dict(
            name=UNIT_STATS[rules.unit_type[u]].name,
            x=unit[X, u],
            y=unit[Y, u],
            health=unit[HEALTH, u],
            shield=unit[SHIELD, u],
            energy=unit[ENERGY, u],
            cooldown=unit[COOLDOWN, u],
            action=actions[u] if u < n_agents else None
        ) for u in range(n_units)
    ]
    sides = Side(scenario.ally_race, scenario.ally_slots), Side(scenario.enemy_race, scenario.enemy_slots)
    twin = agent_views(units[:n_agents], units[n_agents:], mask.tolist(), *sides, death_mask)
    assert views.shape[1] == VIEW_DIM[map_name]
    np.testing.assert_allclose(views, twin, rtol=1e-6, atol=1e-7)


@pytest.mark.unittest
def test_simulator_shows_the_views_of_its_own_unit_table() -> None:
    env = SimVecEnv('MMM', 2, special_global_state=True, n_threads=1)
    plain = SimVecEnv('MMM', 2, n_threads=1)
    step, twin = env.reset(), plain.reset()
    rng, n_ended = np.random.default_rng(0), 0
    for _ in range(170):
        weights = rng.random(step.action_mask.shape) * step.action_mask
        actions = weights.argmax(axis=2)
        step, twin = env.step(actions), plain.step(actions)
        assert np.array_equal(step.obs, twin.obs) and np.array_equal(step.reward, twin.reward)
        out = np.zeros(env.spec.state_dim, np.float32)
        last_action = env._state.last_action[1]
        write_special_state(env._state.unit[1], last_action, step.action_mask[1], env._world.rules, out)
        assert np.array_equal(step.state[1], out)
        ended = np.flatnonzero(step.terminated | step.truncated)
        n_ended += len(ended)
        for e in ended:  # the last view is of the ended episode: ids in place, the wiped out side gone
            view = step.final_state[e].reshape(env.spec.state_shape)
            assert np.array_equal(view[:, -10:], np.eye(10))
            assert not np.array_equal(step.final_state[e], step.state[e])
    assert n_ended > 0
