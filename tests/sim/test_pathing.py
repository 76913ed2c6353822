"""Ways round what is in the way, and the enemy's orders on every map."""
import math

import numpy as np
import pytest
from battlefield import Battlefield

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.pathing import STRAIGHT, find_routes, make_pathing_map
from ding_qmix.sim.placement import spawn_points
from ding_qmix.sim.state import ATTACK, ATTACK_MOVE, GOAL_X, GOAL_Y, GUARD, ORDER, TARGET
from ding_qmix.smac.rules import FIRST_TARGET
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.terrain import MAP_SIZE, WINDING, cliff_grid, pathing_grid
from ding_qmix.smac.units import HEALTH

FAR = [('marine', 28., 28.)]


def cell(x, y):
    return int(x) * MAP_SIZE + int(y)


@pytest.mark.unittest
@pytest.mark.parametrize('terrain', ['BAND', 'OPEN', 'OCTAGON', 'ROUNDED_BOX_6H', 'PENTAGON', *sorted(WINDING)])
def test_unit_gets_from_any_cell_to_any_other(terrain):
    cells = np.argwhere(pathing_grid(terrain)) + .5
    rng = np.random.default_rng(0)
    for start, goal in rng.choice(cells, (30, 2)):
        field = Battlefield([('marine', 16., 15.)], [('zergling', 16., 16.)], goal=tuple(goal), terrain=terrain)
        field.battle.unit[:2, 1] = start
        field.battle.unit[HEALTH, 0] = 0.
        field.play(500)
        assert math.hypot(field.place(1)[0] - goal[0], field.place(1)[1] - goal[1]) <= .5


@pytest.mark.unittest
@pytest.mark.parametrize('terrain', ['BAND', 'OPEN', 'OCTAGON', 'ROUNDED_BOX_6H', 'PENTAGON'])
def test_other_terrain_needs_no_routes(terrain):
    assert make_pathing_map(terrain).route.shape == (1, 1)


@pytest.mark.unittest
@pytest.mark.parametrize('terrain', ['CORRIDOR', 'DIAGONAL', 'TWO_LEVEL'])
def test_routes_lead_from_every_cell_to_every_cell(terrain):
    grid, route = pathing_grid(terrain), make_pathing_map(terrain).route
    cells = [cell(*place) for place in np.argwhere(grid)]
    rng = np.random.default_rng(0)
    for start, goal in rng.choice(cells, (400, 2)):
        here, n_hops = start, 0
        while route[here, goal] != STRAIGHT:
            here = route[here, goal]
            assert grid[here // MAP_SIZE, here % MAP_SIZE]
            n_hops += 1
            assert n_hops < 12


@pytest.mark.unittest
def test_route_round_a_wall_passes_its_open_end():
    grid = np.ones((MAP_SIZE, MAP_SIZE), dtype=bool)
    grid[10, :20] = False
    route = find_routes(grid)
    assert route[cell(5, 5), cell(5, 25)] == STRAIGHT
    via = route[cell(5, 5), cell(15, 5)]
    assert via % MAP_SIZE == 20 and 9 <= via // MAP_SIZE <= 11


@pytest.mark.unittest
def test_route_to_a_blocked_cell_leads_to_the_nearest_open_one():
    grid = np.ones((MAP_SIZE, MAP_SIZE), dtype=bool)
    grid[10, :20] = False
    grid[20:22, 3:6] = False
    route = find_routes(grid)
    assert route[cell(5, 5), cell(20, 4)] == route[cell(5, 5), cell(19, 4)]


@pytest.mark.unittest
def test_zergling_goes_round_the_cliff_by_a_ramp():
    field = Battlefield([('stalker', 16., 14.)], [('zergling', 16., 8.)], goal=(16., 17.), terrain='TWO_LEVEL')
    field.battle.unit[HEALTH, 0] = 0.
    lowest = 99.
    for _ in range(300):
        field.play()
        x, y = field.place(1)
        if 12. <= y < 13.:
            lowest = min(lowest, x, 32. - x)
    assert lowest < 4. and math.hypot(field.place(1)[0] - 16., field.place(1)[1] - 17.) < 1.


@pytest.mark.unittest
def test_ally_told_to_attack_goes_round_the_cliff():
    field = Battlefield([('zealot', 8., 10.)], [('spine_crawler', 8., 16.)], terrain='TWO_LEVEL')
    field.order(0, FIRST_TARGET)
    for _ in range(200):
        field.battle.unit[HEALTH, 0] = 100.
        field.play()
    assert field.health(1) < 300.


@pytest.mark.unittest
def test_choke_of_corridor_is_6_cells_wide_and_the_enemy_passes_it():
    grid = pathing_grid('CORRIDOR')
    assert np.flatnonzero(grid[:, 12] & grid[:, 13]).tolist() == list(range(10, 16))
    field = Battlefield([('zealot', 28.5, 16.)], [('zergling', 27.9, 28.2)], goal=(4.47, 4.33), terrain='CORRIDOR')
    field.battle.unit[HEALTH, 0] = 0.
    field.play(400)
    assert math.hypot(field.place(1)[0] - 4.47, field.place(1)[1] - 4.33) < 1.


@pytest.mark.unittest
def test_cliff_cells_are_not_pathable():
    cliff, grid = cliff_grid('TWO_LEVEL'), pathing_grid('TWO_LEVEL')
    assert not (cliff & grid).any() and cliff[4:28, 12].all() and cliff.sum() == 32
    assert not cliff_grid('BAND').any()


@pytest.mark.unittest
def test_walker_slides_along_a_wall_at_its_speed():
    field = Battlefield([('marine', 2.1, 10.)], [('marine', 20., 29.)], goal=(.5, 20.))
    field.battle.unit[0, 1], field.battle.unit[1, 1] = 2.05, 15.
    field.battle.unit[HEALTH, 0] = 0.
    field.play(16)
    assert field.place(1)[1] == pytest.approx(15. + 2.25, abs=.1)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_spawned_units_stand_clear_of_one_another_on_open_ground(map_name):
    scenario = SCENARIOS[map_name]
    x, y = spawn_points(scenario, Calibration())
    env = SimVecEnv(map_name, 1, n_threads=1)
    tables, unit = env._params.tables, env._params.initial.unit
    for i in range(unit.shape[1]):
        for j in range(i):
            assert math.hypot(unit[0, i] - unit[0, j], unit[1, i] - unit[1, j]) >= tables.reach[i, j] - 1e-9
    group = scenario.allies[0]
    assert (group.x, group.y) in set(zip(x, y))


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_enemy_gets_the_order_of_its_map(map_name):
    env = SimVecEnv(map_name, 3, n_threads=1, calibration=Calibration(reset_loops=0))
    env.reset()
    order, n = SCENARIOS[map_name].enemy_order, env.spec.n_agents
    decision, physical = env._state.decision[:, :, n:], env._state.physical[:, :, n:]
    wanted = {'point': ATTACK_MOVE, 'segment': ATTACK_MOVE, 'allies': ATTACK, 'none': GUARD}[order.kind]
    assert (decision[:, ORDER] == wanted).all()
    if order.kind == 'point':
        assert physical[:, GOAL_X].mean(axis=1) == pytest.approx(order.points[0][0])
        assert physical[:, GOAL_Y].mean(axis=1) == pytest.approx(order.points[0][1])
        heading = physical[:, GOAL_X:GOAL_Y + 1] - env._state.unit[:, :2, n:]  # in parallel: the same for all
        assert heading == pytest.approx(np.broadcast_to(heading[:, :, :1], heading.shape))


@pytest.mark.unittest
def test_enemy_of_2m_vs_1z_walks_to_a_random_point_between_the_marines():
    env = SimVecEnv('2m_vs_1z', 200, n_threads=1)
    env.reset()
    goal_x = env._state.physical[:, GOAL_X, 2]
    assert 13. <= goal_x.min() < 14. and 18. < goal_x.max() <= 19. and len(set(goal_x)) == 200
    assert (env._state.physical[:, GOAL_Y, 2] == 12.).all()


@pytest.mark.unittest
@pytest.mark.parametrize('hunt_on', [False, True])
def test_zergling_hunts_the_nearest_colossus_and_after_its_death_another_if_told(hunt_on):
    env = SimVecEnv('2c_vs_64zg', 1, n_threads=1, calibration=Calibration(hunt_on=hunt_on))
    env.reset()
    decision, unit = env._state.decision[0], env._state.unit[0]
    for u in range(2, 66):
        near = np.hypot(unit[0, :2] - unit[0, u], unit[1, :2] - unit[1, u])
        assert near[decision[TARGET, u]] <= near.min() + .4 and decision[ORDER, u] == ATTACK
    unit[HEALTH, 0] = 0.
    env._state.unit[0, 3, 0] = 0.
    unit[0, 1], unit[1, 1] = 16., 20.
    env.load_state_dict(env.state_dict())
    env.step(np.array([[0, 1]]))
    assert ((decision[ORDER, 2:] == ATTACK) & (decision[TARGET, 2:] == 1)).all() == hunt_on


@pytest.mark.unittest
def test_spine_crawler_of_2s_vs_1sc_stays_and_shoots_who_comes_within_7():
    env = SimVecEnv('2s_vs_1sc', 1, n_threads=1)
    step = env.reset()
    before = env.units()
    for _ in range(20):
        step = env.step(np.array([[1, 1]]))
    after = env.units()
    assert after.x[0, 2] == before.x[0, 2] and after.shield[0, 0] == 80. and not step.terminated[0]
