"""The rule book against its reference implementation, value by value, on random play of every map."""
import numpy as np
import pytest
from every_map import battle_after, random_actions, unit_records
from reference.smac import ReferenceRules

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.terrain import pathing_grid

N_STEPS = 45  # of play; most battles are decided by then
# Every option once away from SMAC's default, then all of obs that can stand together.
OPTIONS = (
    dict(obs_all_health=False, obs_own_health=True),
    dict(obs_all_health=False, obs_own_health=False),
    dict(obs_all_health=True, obs_own_health=False),
    dict(obs_last_action=True),
    dict(obs_pathing_grid=True),
    dict(obs_timestep_number=True),
    dict(obs_instead_of_state=True),
    dict(state_last_action=False),
    dict(state_timestep_number=True),
    dict(state_last_action=False, state_timestep_number=True, obs_pathing_grid=True),
    dict(move_amount=3, obs_pathing_grid=True),
    dict(move_amount=.5),
    dict(
        obs_all_health=False,
        obs_own_health=False,
        obs_last_action=True,
        obs_pathing_grid=True,
        obs_timestep_number=True,
        obs_instead_of_state=True
    ),
)


def reference_of(map_name, **options):
    scenario = SCENARIOS[map_name]
    return ReferenceRules(
        scenario.map_type, scenario.ally_race, scenario.enemy_race, scenario.n_agents, scenario.n_enemies,
        pathing_grid(scenario.terrain).tolist(), scenario.episode_limit, **options
    )


def assert_shows(reference, units, last_actions, style, n_steps, obs, state, mask):
    agents = range(reference.n_agents)
    assert mask.tolist() == [reference.action_mask(units, agent) for agent in agents]
    wanted = [reference.obs(units, agent, last_actions, style, n_steps) for agent in agents]
    np.testing.assert_allclose(obs, wanted, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(state, reference.state(units, last_actions, style, n_steps), rtol=1e-6, atol=1e-7)


def assert_agrees(map_name, style, reward_only_positive=True, **options):
    """Play with these of SMAC's options of obs and state, and compare what is shown and what it is worth."""
    reference, rng = reference_of(map_name, **options), np.random.default_rng(0)
    env = SimVecEnv(
        map_name, 1, seed=3, obs_style=style, n_threads=1, reward_only_positive=reward_only_positive, **options
    )
    step = env.reset()
    last_actions = [None] * reference.n_agents
    before = unit_records(env)
    assert_shows(reference, before, last_actions, style, 0, step.obs[0], step.state[0], step.action_mask[0])
    for n_steps in range(1, N_STEPS + 1):
        actions = random_actions(step, rng, fierce=.8)
        after = unit_records(env, battle_after(env, 0, actions[0]))
        step = env.step(actions)
        last_actions = actions[0].tolist()
        reward = reference.reward(before, after, reward_only_positive)
        assert step.reward[0] == pytest.approx(reward, rel=1e-5, abs=1e-6)
        result = reference.result(after)
        assert (step.terminated[0], step.won[0]) == (result != 'ongoing', result == 'won')
        over = step.terminated[0] or step.truncated[0]
        shown = (step.final_obs, step.final_state, step.final_action_mask) if over else step[:3]
        assert_shows(reference, after, last_actions, style, n_steps, *(array[0] for array in shown))
        if over:
            return
        before = after


@pytest.mark.unittest
@pytest.mark.parametrize('style', ['ding', 'smac'])
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_rules_agree_with_their_reference_implementation(map_name, style):
    assert_agrees(map_name, style, reward_only_positive=style == 'ding')


@pytest.mark.unittest
@pytest.mark.parametrize('style', ['ding', 'smac'])
@pytest.mark.parametrize('map_name', ['3m', 'MMM', '2s3z', '3s_vs_3z', 'bane_vs_bane', '2c_vs_64zg', 'corridor'])
@pytest.mark.parametrize('options', OPTIONS, ids=lambda options: '-'.join(options))
def test_rules_agree_with_their_reference_implementation_under_smacs_options(map_name, style, options):
    assert_agrees(map_name, style, **options)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['2s3z', '3s5z', '3s5z_vs_3s6z'])
def test_reference_and_rules_have_the_one_hots_of_stalkers_and_zealots_swapped(map_name):
    env = SimVecEnv(map_name, 1, obs_style='smac', n_threads=1, calibration=Calibration(permute_enemies=False))
    obs = env.reset().obs[0]
    assert obs[0, -2:].tolist() == [1., 0.] and obs[-1, -2:].tolist() == [0., 1.]  # own: stalkers come first
    env._state.unit[0, :2, env.spec.n_agents:] = env._state.unit[0, :2, :1]
    env.load_state_dict(env.state_dict())
    enemy = env.observe().obs[0, 0, 4:12]  # the first enemy created is a stalker
    assert enemy[-2:].tolist() == [0., 1.]
