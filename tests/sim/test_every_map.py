"""What must hold on all maps, whatever is played."""
import math

import numpy as np
import pytest
from every_map import play, random_actions
from hypothesis import given, settings
from hypothesis import strategies as st

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.unit_tables import CANNOT_HIT, ENERGY_MAX, FOOTING, HEALS, HEALTH_MAX, SHIELD_MAX
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.units import ENERGY, HEALTH, SHIELD, X, Y

maps = pytest.mark.parametrize('map_name', SCENARIOS)


def assert_sound(env, step):
    """Check one step of an env that is not yet over, and its unit tables."""
    n, stats, unit = env.spec.n_agents, env._params.tables.stats, env._state.unit
    for array in (step.obs, step.state, step.reward, unit, env._state.physical):
        assert np.isfinite(array).all()
    for field, limit in ((HEALTH, HEALTH_MAX), (SHIELD, SHIELD_MAX), (ENERGY, ENERGY_MAX)):
        assert (unit[:, field] >= 0.).all() and (unit[:, field] <= stats[limit]).all()
    x, y, alive = unit[:, X], unit[:, Y], unit[:, HEALTH] > 0.
    assert ((x >= 0.) & (x <= 32.) & (y >= 0.) & (y <= 32.)).all()
    cells = env._params.pathing.footing[np.minimum(x, 31.9).astype(int), np.minimum(y, 31.9).astype(int)]
    assert (cells >= stats[FOOTING]).all()  # no one in a wall
    mask, dead = step.action_mask, ~alive[:, :n]
    assert mask.any(2).all() and (mask[dead].sum(1) == 1).all()
    assert np.array_equal(mask[:, :, NO_OP], dead)
    n_id = n if env.spec.obs_style == 'ding' else 0
    assert not step.obs[:, :, :env.spec.obs_dim - n_id][dead].any()
    assert (np.abs(step.obs) <= 1.).all()


@maps
@pytest.mark.unittest
def test_random_play_is_sound(map_name):
    env = SimVecEnv(map_name, 6, seed=11, n_threads=1)
    play(env, 60, check=lambda step: assert_sound(env, step))


@settings(max_examples=40, deadline=None)
@given(
    map_name=st.sampled_from(sorted(SCENARIOS)),
    seed=st.integers(0, 2 ** 64 - 8),
    fierce=st.floats(0., 1.),
    style=st.sampled_from(['ding', 'smac'])
)
@pytest.mark.unittest
def test_play_of_any_seed_and_temper_is_sound(map_name, seed, fierce, style):
    env, rng = SimVecEnv(map_name, 2, seed=seed, n_threads=1, obs_style=style), np.random.default_rng(seed)
    step = env.reset()
    for _ in range(25):
        step = env.step(random_actions(step, rng, fierce))
        assert_sound(env, step)


def advance(env, mask):
    """Aim at the last enemy in reach, who may be a medivac, or walk towards the nearest; int64 [1, N]."""
    n, unit = env.spec.n_agents, env._state.unit[0]
    actions = np.zeros((1, n), dtype=np.int64)
    for u in range(n):
        if mask[0, u, NO_OP] or env._params.tables.stats[HEALS, u]:
            actions[0, u] = NO_OP if mask[0, u, NO_OP] else STOP
            continue
        aims = [i for i in np.flatnonzero(mask[0, u, FIRST_TARGET:]) if env._params.tables.rank[u, n + i] > CANNOT_HIT]
        foe = min(np.flatnonzero(unit[HEALTH, n:] > 0.), key=lambda i: math.dist(unit[:2, n + i], unit[:2, u]))
        dx, dy = unit[:2, n + foe] - unit[:2, u]
        ways = sorted([(-abs(dx), EAST if dx > 0. else WEST), (-abs(dy), NORTH if dy > 0. else SOUTH)])
        actions[0, u] = FIRST_TARGET + aims[-1] if aims else next((w for _, w in ways if mask[0, u, w]), STOP)
    return actions


@maps
@pytest.mark.unittest
def test_rewards_of_a_clean_win_sum_to_20(map_name):
    # Allies that hardly die, whose losses count nothing: what is left is what the enemies lose, and the win.
    env = SimVecEnv(
        map_name,
        1,
        seed=2,
        n_threads=1,
        reward_only_positive=False,
        reward_negative_scale=0.,
        calibration=Calibration(permute_enemies=False)
    )
    step, n, total = env.reset(), env.spec.n_agents, 0.
    tables, rules = env._params.tables, env._params.rules
    while not (step.terminated[0] or step.truncated[0]):
        life = env._state.unit[0, HEALTH, :n]
        life[life > 0.] = tables.stats[HEALTH_MAX, :n] = 1e6
        step = env.step(advance(env, step.action_mask))
        total += float(step.reward[0])
    assert step.won[0]
    missing = 0.
    if rules.medivac_map and step.dead_enemies[0] < env.spec.n_enemies:  # the last medivac need not be killed
        medivac = env.spec.n_agents + int(np.flatnonzero(rules.healer[n:])[0])
        left = step.final_state[0, n * 7 + (medivac - n) * 6] * tables.stats[HEALTH_MAX, medivac]
        missing = (left + 10.) / env._params.divisor
    assert total + missing == pytest.approx(20., rel=1e-4)


@maps
@pytest.mark.unittest
def test_battle_of_a_seed_is_the_same_whatever_the_envs_and_threads(map_name):
    many = play(SimVecEnv(map_name, 3, seed=5, n_threads=2), 30)
    one = play(SimVecEnv(map_name, 1, seed=6, n_threads=1), 30, seed=1)
    np.testing.assert_array_equal(many[:, :, 1:2], one)


@maps
@pytest.mark.unittest
def test_state_dict_restores_mid_battle_on_every_map(map_name):
    env = SimVecEnv(map_name, 2, seed=3, n_threads=1)
    play(env, 12)
    saved = env.state_dict()
    rest = play(env, 25, seed=9, first=env.observe())
    other = SimVecEnv(map_name, 2, seed=99, n_threads=1)
    other.load_state_dict(saved)
    np.testing.assert_array_equal(play(other, 25, seed=9, first=other.observe()), rest)
