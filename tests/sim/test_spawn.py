"""Where units stand at the start, beside recordings of the game."""
import math

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.placement import spawn_points
from ding_qmix.sim.recorded_spawns import VARIANTS
from ding_qmix.smac.rules import FIRST_TARGET, STOP
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.units import UNIT_NAMES

# Allies in order of birth, [map units]; parsed from recordings of the game (miruyoun/PyMARL_RL_Project@b901bde,
# ChristianLin0420/universalMARL@d637298), the commonest layout.
MARINES = [(9., 16.), (9., 15.3115), (9.6885, 16.), (9., 16.6885), (8.3115, 16.), (9.75, 15.25), (9.75, 16.75)]
ALLIES = {
    '3m': MARINES[:3],
    '8m': [*MARINES, (8.25, 16.75)],
    '2s3z': [(9., 16.), (9., 14.8115), (9.9414, 15.5054), (9.7517, 16.7517), (8.248, 16.7517)],
    'MMM': [*MARINES, (8.1689, 16.9661), (8.169, 15.0335), (9.0, 16.0)],
    'MMM2': [*MARINES, (8.1689, 16.9661), (7.875, 14.875), (9.0, 16.0)],
    'corridor': [
        (19.0398, 19.1199), (19.0398, 18.1814), (19.9783, 19.1199), (19.0398, 20.0583), (18.1013, 19.1199),
        (20.0398, 18.1199)
    ],
    '3s_vs_4z': [(9., 16.), (9., 14.8115), (10.1885, 16.)],
    '2c_vs_64zg': [(16., 16.), (16., 14.0615)],
    '2m_vs_1z': [(13., 12.), (19., 12.)],
    '2s_vs_1sc': [(11.1208, 10.338), (16.976, 10.3662)],
}
ENEMIES = {
    '3s_vs_4z': [(23., 16.), (23., 15.0615), (23.9385, 16.), (23., 16.9385)],
    '2m_vs_1z': [(16., 19.)],
    '2s_vs_1sc': [(14., 20.)],
    **{name: [(x + 14., y) for x, y in ALLIES[name]]
       for name in ('3m', '8m', '2s3z', 'MMM')},
}
# Cells of 2c_vs_64zg's zerglings in order of birth.
CELLS = (
    '16,9 16,8 16,9 16,9 15,9 16,8 16,9 15,9 15,8 16,7 17,9 16,10 14,9 16,7 17,9 15,10 14,8 17,8 16,10 14,9 15,7 17,7 '
    '17,10 14,10 14,7 16,6 18,9 16,11 13,9 16,6 18,9 15,11 13,8 18,8 16,11 13,9 15,6 17,6 18,10 14,11 13,7 18,7 17,11 '
    '13,10 14,6'
)


def places_of(map_name):
    """Return where allies and enemies are put, in order of birth."""
    scenario = get_scenario(map_name)
    places = np.stack(spawn_points(scenario, Calibration()), axis=1)
    return places[:scenario.n_agents], places[scenario.n_agents:]


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ALLIES)
def test_allies_stand_where_recordings_show_them(map_name):
    assert places_of(map_name)[0] == pytest.approx(np.array(ALLIES[map_name]), abs=3e-4)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ENEMIES)
def test_enemies_stand_where_recordings_show_them(map_name):
    assert places_of(map_name)[1] == pytest.approx(np.array(ENEMIES[map_name]), abs=3e-4)


@pytest.mark.unittest
def test_zerglings_fill_their_lattice_in_the_order_recorded():
    cells = [f'{int(x)},{int(y)}' for x, y in places_of('2c_vs_64zg')[1]]
    assert cells[:45] == CELLS.split()


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['3m', '8m', '2s3z', 'corridor', '3s_vs_4z'])
def test_allies_that_stand_still_are_not_pushed(map_name):
    env = SimVecEnv(map_name, 1, n_threads=1)
    env.reset()
    places = env.units()
    env.step(np.ones((1, env.spec.n_agents), dtype=np.int64))
    n, now = env.spec.n_agents, env.units()
    assert (now.x[0, :n], now.y[0, :n]) == (pytest.approx(places.x[0, :n]), pytest.approx(places.y[0, :n]))


@pytest.mark.unittest
@pytest.mark.parametrize('map_name, degrees', [('3m', 179.08), ('3s_vs_4z', 180.)])
def test_enemies_march_in_parallel(map_name, degrees):
    env = SimVecEnv(map_name, 1, n_threads=1)
    env.reset()
    env.reset()  # the first episode of a seed is seen before anybody walks
    start, n = env._params.initial.unit[:2, env.spec.n_agents:], env.spec.n_agents
    walked = env._state.unit[0, :2, n:] - start
    for dx, dy in walked.T:
        assert math.degrees(math.atan2(dy, dx)) % 360. == pytest.approx(degrees, abs=.9)
        assert math.hypot(dx, dy) == pytest.approx(.140625)  # one loop at the first observation


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name, unit, shares', [
        ('3m', 2, {
            9.677: .0235
        }),
        ('2s3z', 4, {
            9.9194: .4375
        }),
        ('2s3z', 2, {
            8.5: .09375
        }),
        ('corridor', 5, {
            20.0398: 47 / 55
        }),
    ]
)
def test_allies_stand_in_their_recorded_variants_as_often_as_recorded(map_name, unit, shares):
    env = SimVecEnv(map_name, 4000, n_threads=1, calibration=Calibration(reset_loops=0))
    env.reset()
    x = env.units().x[:, unit]
    for place, share in shares.items():
        assert np.isclose(x, place, atol=1e-6).mean() == pytest.approx(share, abs=4. * math.sqrt(share / 4000))


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', VARIANTS)
def test_agents_are_numbered_by_type_then_x_then_y_in_every_variant(map_name):
    env = SimVecEnv(map_name, 2000, n_threads=1)
    env.reset()
    units, n = env.units(), env.spec.n_agents
    slots = get_scenario(map_name).ally_slots
    for kinds, *places in zip(units.unit_type[:, :n], units.x[:, :n], units.y[:, :n]):
        key = [(slots.index(UNIT_NAMES[kind]) if slots else 0, x, y) for kind, x, y in zip(kinds, *places)]
        assert key == sorted(key)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name, orders', [
        ('3m', {'012', '021', '120', '210'}),
        ('3s_vs_4z', {'0123', '0132', '0231', '0321', '1230', '1320', '2310', '3210'}),
    ]
)
def test_enemies_are_numbered_in_the_recorded_orders_equally_often(map_name, orders):
    env = SimVecEnv(map_name, 4000, n_threads=1)
    env.reset()
    n = env.spec.n_agents
    seen = [''.join(str(u - n) for u in row) for row in env._state.unit_at[:, n:]]
    assert set(seen) == orders
    for order in orders:
        assert seen.count(order) / 4000 == pytest.approx(1 / len(orders), abs=.03)


@pytest.mark.unittest
def test_an_attack_hits_the_enemy_that_the_episode_gives_this_number():
    env = SimVecEnv('3s5z', 32, n_threads=1)
    step = env.reset()
    n, hits = env.spec.n_agents, 0
    assert len({tuple(row) for row in env.units().unit_type[:, n:]}) == 4
    full = env.units()
    for _ in range(20):
        step = env.step(np.where(step.action_mask[:, :, FIRST_TARGET], FIRST_TARGET, step.action_mask[:, :, STOP]))
        units = env.units()
        assert (units.shield[:, n + 1:] == full.shield[:, n + 1:]).all()
        assert set(units.target[:, :n].ravel()) <= {-1, n}
        hits += (units.shield[:, n] < full.shield[:, n]).sum()
    assert hits > 16


@pytest.mark.unittest
def test_first_episode_of_a_seed_is_seen_before_anybody_walks_and_later_ones_a_loop_later():
    env = SimVecEnv('3m', 2000, n_threads=1)
    walked = []
    for _ in range(2):
        env.reset()
        walked.append(23.6885 - env.units().x[:, 3:].max(axis=1))
    assert (abs(walked[0]) < 1e-4).all()
    loops = np.round(walked[1] / .140625, 2)
    assert (loops[:, None] == [1., 2.]).any(axis=1).all() and 0 <= (loops == 2.).sum() < 8
