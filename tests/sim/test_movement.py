import math

import pytest
from battlefield import Battlefield

from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.placement import spawn_points
from ding_qmix.sim.unit_types import OVERLAP
from ding_qmix.smac.rules import EAST, NORTH, STOP, WEST
from ding_qmix.smac.scenarios import get_scenario

FAR = [('marine', 28., 28.)]


@pytest.mark.unittest
@pytest.mark.parametrize('unit', ['marine', 'marauder'])
def test_infantry_walks_1_125_per_step(unit):
    field = Battlefield([(unit, 10., 16.)], FAR)
    field.step([EAST])
    assert field.place(0) == (pytest.approx(11.125), 16.)


@pytest.mark.unittest
def test_medivac_needs_time_to_reach_its_speed():
    field = Battlefield([('medivac', 10., 16.)], FAR)
    field.step([EAST])
    # Speed grows by 2.3125 / 256 per loop: 1 + 2 + ... + 8 times that.
    assert field.place(0)[0] == pytest.approx(10. + 36 * 2.3125 / 256)
    for _ in range(3):
        field.step([EAST])
    before = field.place(0)[0]
    field.step([EAST])
    assert field.place(0)[0] - before == pytest.approx(1.375)


@pytest.mark.unittest
def test_move_order_ends_after_two_map_units():
    field = Battlefield([('marine', 10., 16.)], FAR)
    field.order(0, NORTH)
    field.play(40)
    assert field.place(0) == (10., pytest.approx(18.))


@pytest.mark.unittest
def test_stop_ends_a_move():
    field = Battlefield([('marine', 10., 16.)], FAR)
    field.step([NORTH])
    field.step([STOP])
    assert field.place(0)[1] == pytest.approx(17.125)


@pytest.mark.unittest
def test_ground_unit_stops_at_a_wall_and_flier_passes():
    field = Battlefield([('marine', 3., 10.), ('medivac', 3., 20.)], FAR)
    for _ in range(4):
        field.step([WEST, WEST])
    assert 2. <= field.place(0)[0] < 2.15  # cells below x = 2 are not pathable
    assert field.place(1)[0] < 1.


@pytest.mark.unittest
def test_walking_units_do_not_overlap():
    field = Battlefield([('marine', 10., 16.), ('marine', 12., 16.1)], FAR)
    for _ in range(4):
        field.step([EAST, WEST])
        (ax, ay), (bx, by) = field.place(0), field.place(1)
        assert math.hypot(ax - bx, ay - by) > .75 - .2


@pytest.mark.unittest
def test_walker_pushes_an_idle_friend_aside():
    field = Battlefield([('marine', 10., 16.), ('marine', 11., 16.1)], FAR)
    for _ in range(2):
        field.step([EAST, STOP])
    assert field.place(0)[0] > 11.5 and field.place(1) != (11., 16.1)


@pytest.mark.unittest
def test_enemy_does_not_push_an_idle_ally():
    field = Battlefield([('medivac', 10., 16.), ('marine', 18., 16.)], [('medivac', 24., 16.05)], goal=(5., 16.))
    field.play(160)
    assert field.place(1) == (18., 16.) and field.place(0) == (10., 16.)


@pytest.mark.unittest
def test_fliers_and_ground_units_pass_through_one_another():
    field = Battlefield([('medivac', 10., 16.), ('marine', 12., 16.)], FAR)
    for _ in range(3):
        field.step([EAST, STOP])
    assert field.place(1) == (12., 16.)


@pytest.mark.unittest
def test_walker_slides_round_an_obstacle():
    # The enemy that shoots stands fast in the way of the other, which has to get round it.
    field = Battlefield([('marine', 10., 16.)], [('marine', 15., 16.), ('marine', 16., 16.)], goal=(5., 16.))
    field.battle.unit[2, 0] = 1e6
    field.play(60)
    assert math.hypot(field.place(2)[0] - 10., field.place(2)[1] - 16.) < 5.76


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['3m', '25m', '27m_vs_30m', 'MMM', 'MMM2'])
def test_spawned_units_do_not_overlap_and_the_first_is_on_the_point(map_name):
    scenario = get_scenario(map_name)
    x, y = spawn_points(scenario, Calibration())
    assert (x[0], y[0]) == (9., 16.) and (x[scenario.n_agents], y[scenario.n_agents]) == (23., 16.)
    walkers = [i for i in range(len(x)) if map_name[:3] != 'MMM' or i not in (9, len(x) - 1)]
    assert min(math.hypot(x[i] - x[j], y[i] - y[j]) for i in walkers for j in walkers if i < j) >= .75 - OVERLAP - 1e-9
