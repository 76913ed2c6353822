import pytest

from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.reward import RewardOptions, max_reward
from ding_qmix.smac.rules import created_units, make_rules
from ding_qmix.smac.scenarios import SCENARIOS, get_scenario, make_spec
from ding_qmix.smac.terrain import pathing_grid

# n_agents, n_enemies, episode limit, n_actions, obs and state of style smac, obs of style ding, max reward.
# Computed from the size formulas of oxwhirl/smac and DI-engine; the latter agree with every shape in dizoo/smac/config.
TABLE = {
    '3m': (3, 3, 60, 9, 30, 48, 42, 365),
    '8m': (8, 8, 120, 14, 80, 168, 102, 640),
    '25m': (25, 25, 150, 31, 250, 950, 306, 1575),
    '5m_vs_6m': (5, 6, 70, 12, 55, 98, 72, 530),
    '8m_vs_9m': (8, 9, 120, 15, 85, 179, 108, 695),
    '10m_vs_11m': (10, 11, 150, 17, 105, 243, 132, 805),
    '27m_vs_30m': (27, 30, 180, 36, 285, 1170, 348, 1850),
    'MMM': (10, 10, 150, 16, 160, 290, 186, 1015),
    'MMM2': (10, 12, 180, 18, 176, 322, 204, 1205),
    '2s3z': (5, 5, 120, 11, 80, 120, 96, 1020),
    '3s5z': (8, 8, 150, 14, 128, 216, 150, 1510),
    '3s5z_vs_3s6z': (8, 9, 170, 15, 136, 230, 159, 1670),
    '3s_vs_3z': (3, 3, 150, 9, 36, 54, 48, 680),
    '3s_vs_4z': (3, 4, 200, 10, 42, 61, 55, 840),
    '3s_vs_5z': (3, 5, 250, 11, 48, 68, 62, 1000),
    '1c3s5z': (9, 9, 180, 15, 162, 270, 186, 1870),
    '2m_vs_1z': (2, 1, 150, 7, 16, 26, 25, 360),
    'corridor': (6, 24, 400, 30, 156, 282, 192, 1280),
    '6h_vs_8z': (6, 8, 150, 14, 78, 140, 98, 1480),
    '2s_vs_1sc': (2, 1, 300, 7, 17, 27, 26, 510),
    'so_many_baneling': (7, 32, 100, 38, 202, 397, 247, 1480),
    'bane_vs_bane': (24, 24, 200, 30, 336, 984, 390, 1260),
    '2c_vs_64zg': (2, 64, 400, 70, 332, 342, 404, 3080),
}


@pytest.mark.unittest
def test_scenarios_are_the_23_smac_maps():
    assert set(SCENARIOS) == set(TABLE)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', TABLE)
def test_spec_has_documented_dims(map_name):
    smac, ding = make_spec(map_name, 'smac'), make_spec(map_name, 'ding')
    row = (
        smac.n_agents, smac.n_enemies, smac.episode_limit, smac.n_actions, smac.obs_dim, smac.state_dim, ding.obs_dim
    )
    assert row == TABLE[map_name][:7]
    assert ding.state_dim == smac.state_dim
    assert smac.obs_layout.dim == smac.obs_dim


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', TABLE)
def test_max_reward_is_the_documented_one(map_name):
    scenario = get_scenario(map_name)
    rules = make_rules(scenario, range(len(created_units(scenario))), 'smac')
    assert max_reward(rules, RewardOptions()) == TABLE[map_name][7]


@pytest.mark.unittest
def test_get_scenario_of_unknown_map_names_the_nearest_and_lists_all():
    with pytest.raises(ValueError, match=r"unknown map 'MMMM'; did you mean 'MMM'\?.*2c_vs_64zg"):
        get_scenario('MMMM')


@pytest.mark.unittest
def test_make_spec_of_unknown_obs_style_names_the_styles():
    with pytest.raises(ValueError, match="unknown obs_style 'dingo'; known: ding, smac"):
        make_spec('3m', 'dingo')


@pytest.mark.unittest
@pytest.mark.parametrize(
    'terrain, n_pathable', [
        ('BAND', 504), ('OPEN', 784), ('OCTAGON', 444), ('CORRIDOR', 418), ('ROUNDED_BOX_6H', 212), ('PENTAGON', 232),
        ('DIAGONAL', 394), ('TWO_LEVEL', 412)
    ]
)
def test_pathing_grid_has_the_cells_of_the_map(terrain, n_pathable):
    assert pathing_grid(terrain).sum() == n_pathable


@pytest.mark.unittest
def test_pathing_grid_of_band_is_the_one_a_client_reports():
    grid = pathing_grid('BAND')
    assert grid[2:30, 7:25].all() and grid.sum() == 28 * 18


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', TABLE)
def test_spawn_points_are_pathable(map_name):
    scenario = get_scenario(map_name)
    grid = pathing_grid(scenario.terrain)
    assert all(grid[int(g.x), int(g.y)] for g in scenario.allies + scenario.enemies)


@pytest.mark.unittest
def test_every_calibration_parameter_has_a_number():
    assert all(isinstance(value, (int, float)) for value in Calibration())
