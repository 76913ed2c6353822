import numpy as np
import pytest
from every_map import battle_after, random_actions

from ding_qmix.sim import SIM_VERSION, SimVecEnv
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.state import TARGET
from ding_qmix.smac.rules import NO_OP, STOP
from ding_qmix.smac.units import HEALTH


def legal(mask, rng):
    """Draw uniformly among legal actions."""
    return (rng.random(mask.shape) * mask).argmax(-1)


def targets_shown(battle):
    """Return whom each unit of a battle aims at, int [U], in the order and by the numbers that SMAC gives them."""
    number = {int(u): i for i, u in enumerate(battle.unit_at)}
    return [number.get(int(battle.decision[TARGET, u]), -1) for u in battle.unit_at]


def play(env, n_steps, seed=0, first=None):
    """Return copies of (reward, obs sum, state sum) per step, each env drawing its actions from its own generator."""
    rngs = [np.random.default_rng(seed + e) for e in range(env.n_envs)]
    step = first if first is not None else env.reset()
    trace = []
    for _ in range(n_steps):
        actions = np.stack([legal(step.action_mask[e], rng) for e, rng in enumerate(rngs)])
        step = env.step(actions)
        trace.append(np.stack([step.reward, step.obs.sum((1, 2)), step.state.sum(1)]))
    return np.array(trace)


@pytest.mark.unittest
def test_env_i_plays_the_same_whatever_the_number_of_envs():
    many = play(SimVecEnv('MMM', 4, seed=7, n_threads=1), 80)
    one = play(SimVecEnv('MMM', 1, seed=9, n_threads=1), 80, seed=2)
    np.testing.assert_array_equal(many[:, :, 2:3], one)


@pytest.mark.unittest
def test_threads_do_not_change_the_battle():
    one = play(SimVecEnv('3m', 8, seed=1, n_threads=1), 60)
    two = play(SimVecEnv('3m', 8, seed=1, n_threads=2), 60)
    np.testing.assert_array_equal(one, two)


@pytest.mark.unittest
def test_seeds_change_the_battle():
    traces = play(SimVecEnv('8m', 2, seed=[3, 4], n_threads=1), 40, seed=0)
    same = play(SimVecEnv('8m', 2, seed=[3, 3], n_threads=1), 40, seed=0)
    assert not np.array_equal(traces[:, :, 1], same[:, :, 1])


@pytest.mark.unittest
def test_neighbouring_seeds_give_unrelated_states():
    states = [int(seed_state(seed)) for seed in range(100)]
    assert len(set(states)) == 100 and 0 not in states
    assert 25 < np.mean([bin(a ^ b).count('1') for a, b in zip(states, states[1:])]) < 39


@pytest.mark.unittest
def test_ended_episode_shows_its_last_rows_and_the_next_first_ones():
    env = SimVecEnv('3m', 2, n_threads=1)
    first = env.reset().obs.copy()
    for _ in range(59):
        before = env.units()
        step = env.step(np.where(before.alive[:, :3], STOP, NO_OP))
        if step.terminated.any():
            break
    assert step.terminated.any() and not step.won.any()
    e = int(step.terminated.argmax())
    assert step.dead_allies[e] == 3
    assert np.flatnonzero(step.final_action_mask[e, 0]).tolist() == [NO_OP]
    np.testing.assert_array_equal(step.final_obs[e, 0, :-3], 0.)
    assert env.units().alive[e].all() and step.action_mask[e, :, STOP].all()
    np.testing.assert_allclose(step.obs[e], first[e], atol=.05)


@pytest.mark.unittest
def test_episode_limit_truncates():
    env = SimVecEnv('3m', 1, n_threads=1)
    step = env.reset()
    for _ in range(60):
        assert not step.truncated[0]
        env._state.unit[0, HEALTH] = 45.
        step = env.step(np.full((1, 3), STOP))
    assert step.truncated[0] and not step.terminated[0]
    assert env._state.episode_step[0] == 0


@pytest.mark.unittest
def test_win_is_rewarded_and_flagged():
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()
    env._state.unit[0, HEALTH, 3:] = 0.
    step = env.step(np.full((1, 3), STOP))
    assert step.won[0] and step.terminated[0] and step.dead_enemies[0] == 3
    assert step.reward[0] == pytest.approx(200. / 18.25)


@pytest.mark.unittest
def test_inactive_envs_are_left_as_they_are():
    env = SimVecEnv('3m', 3, n_threads=1)
    env.reset()
    env.step(np.full((3, 3), STOP))
    saved, obs = env.state_dict(), env.observe().obs.copy()
    step = env.step(np.full((3, 3), STOP), active=np.array([True, False, True]))
    assert step.reward[1] == 0. and not step.terminated[1]
    np.testing.assert_array_equal(step.obs[1], obs[1])
    now = env.state_dict()
    assert now['unit'][1] == saved['unit'][1] and now['rng'][1] == saved['rng'][1]
    assert now['unit'][0] != saved['unit'][0]


@pytest.mark.unittest
def test_inactive_env_may_hold_an_illegal_action():
    env = SimVecEnv('3m', 2, n_threads=1)
    env.reset()
    env.step(np.array([[STOP] * 3, [NO_OP] * 3]), active=np.array([True, False]))


@pytest.mark.unittest
def test_partial_reset_leaves_the_others():
    env = SimVecEnv('3m', 2, n_threads=1)
    env.reset()
    for _ in range(3):
        env.step(np.full((2, 3), STOP))
    before = env.units()
    env.reset(np.array([1]))
    after = env.units()
    np.testing.assert_array_equal(before.x[0], after.x[0])
    assert after.x[1, 3] > before.x[1, 3] + 2.


@pytest.mark.unittest
def test_seed_takes_effect_at_the_next_reset():
    env = SimVecEnv('3m', 1, seed=5, n_threads=1)
    first = play(env, 30)
    env.seed(np.array([5]))
    np.testing.assert_array_equal(play(env, 30), first)


@pytest.mark.unittest
def test_reset_without_seed_goes_on_with_the_generator():
    env = SimVecEnv('3m', 1, seed=5, n_threads=1)
    first = play(env, 30)
    assert not np.array_equal(play(env, 30), first)


@pytest.mark.unittest
def test_state_dict_restores_mid_battle():
    env = SimVecEnv('MMM', 2, seed=3, n_threads=1)
    play(env, 25)
    saved = env.state_dict()
    rest = play(env, 40, seed=9, first=env.observe())
    other = SimVecEnv('MMM', 2, seed=99, n_threads=1)
    other.load_state_dict(saved)
    np.testing.assert_array_equal(play(other, 40, seed=9, first=other.observe()), rest)


@pytest.mark.unittest
def test_state_dict_holds_plain_values_only():
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()

    def plain(value):
        return all(map(plain, value)) if isinstance(value, list) else type(value) in (int, float, bool, str)

    assert all(plain(value) for value in env.state_dict().values())


@pytest.mark.unittest
@pytest.mark.parametrize(
    'key, value, message', [
        ('map_name', '8m', "map_name is '8m', this env has '3m'"), ('sim_version', '0', "sim_version is '0'"),
        ('started', [True, True], 'saved with 2 envs, this one has 1')
    ]
)
def test_load_state_dict_of_another_env_is_refused(key, value, message):
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()
    with pytest.raises(ValueError, match=message):
        env.load_state_dict(dict(env.state_dict(), **{key: value}))


def until_end(env):
    """Play until one episode ends; return the step, which env it is of, and all rewards, float32 [T, E]."""
    for seed in range(20):  # of the actions: play until one with which no two envs end at once
        step, rewards, rng = env.reset(), [], np.random.default_rng(seed)
        while not (step.terminated | step.truncated).any():
            step = env.step(legal(step.action_mask, rng))
            rewards.append(step.reward.copy())
        if (step.terminated | step.truncated).sum() == 1:
            return step, int((step.terminated | step.truncated).argmax()), np.array(rewards)
    raise AssertionError('two envs ended at once every time')


@pytest.mark.unittest
def test_step_shows_length_and_return_of_the_episode_its_reward_belongs_to():
    env = SimVecEnv('3m', 3, seed=5, n_threads=1)
    step, e, rewards = until_end(env)
    assert step.episode_len.dtype == np.int64 and step.episode_return.dtype == np.float64
    assert step.episode_len.tolist() == [len(rewards)] * 3
    np.testing.assert_array_equal(step.episode_return, np.add.accumulate(rewards.astype(np.float64))[-1])
    step = env.step(legal(step.action_mask, np.random.default_rng(0)))
    assert step.episode_len[e] == 1 and step.episode_return[e] == step.reward[e]


@pytest.mark.unittest
def test_inactive_env_keeps_length_return_and_dead_of_the_ended_episode():
    env = SimVecEnv('3m', 3, seed=5, n_threads=1)
    step, e, _ = until_end(env)
    names = ('episode_len', 'episode_return', 'dead_allies', 'dead_enemies')
    ended = [getattr(step, name)[e].copy() for name in names]
    step = env.step(legal(step.action_mask, np.random.default_rng(0)), np.arange(3) != e)
    assert not (step.terminated[e] or step.truncated[e] or step.reward[e])
    assert [getattr(step, name)[e] for name in names] == ended and ended[0] > 0


@pytest.mark.unittest
def test_reset_shows_zeros_there_and_no_flags_anywhere():
    env = SimVecEnv('3m', 3, seed=5, n_threads=1)
    step, e, rewards = until_end(env)
    other = (e + 1) % 3
    step = env.reset(np.array([other]))
    assert not (step.reward.any() or step.terminated.any() or step.truncated.any() or step.won.any())
    assert (step.episode_len[other], step.episode_return[other], step.dead_allies[other]) == (0, 0., 0)
    assert step.episode_len[e] == len(rewards)


@pytest.mark.unittest
def test_observe_changes_nothing_and_after_loading_shows_the_running_episodes():
    env = SimVecEnv('3m', 3, seed=5, n_threads=1)
    step, e, rewards = until_end(env)
    shown = [field.copy() for field in step]
    assert all(map(np.array_equal, env.observe(), shown))
    other = SimVecEnv('3m', 3, n_threads=1)
    other.load_state_dict(env.state_dict())
    step = other.observe()
    assert not (step.reward.any() or step.terminated.any() or step.truncated.any() or step.won.any())
    assert (step.episode_len[e], step.episode_return[e]) == (0, 0.)
    running = (e + 1) % 3
    assert step.episode_len[running] == len(rewards)
    assert step.episode_return[running] == rewards[:, running].astype(np.float64).cumsum()[-1]


@pytest.mark.unittest
@pytest.mark.parametrize('special_global_state', [False, True])
@pytest.mark.parametrize('map_name', ['3m', '2c_vs_64zg', 'bane_vs_bane'])
def test_final_units_are_those_of_the_ended_battle(map_name, special_global_state):
    env = SimVecEnv(map_name, 2, seed=4, n_threads=1, special_global_state=special_global_state)
    step, rng, ended = env.reset(), np.random.default_rng(1), np.zeros(2, bool)
    while not ended.any():
        actions = random_actions(step, rng)
        battles = [battle_after(env, e, actions[e]) for e in range(2)]
        step = env.step(actions)
        ended = step.terminated | step.truncated
    e, units = int(ended.argmax()), env.final_units()
    shown = np.stack([units.x, units.y, units.health, units.shield, units.energy, units.cooldown], axis=1)[e]
    np.testing.assert_array_equal(shown, battles[e].unit[:, battles[e].unit_at])
    np.testing.assert_array_equal(units.target[e], targets_shown(battles[e]))
    alive = units.alive[e]
    np.testing.assert_array_equal(alive, battles[e].unit[HEALTH, battles[e].unit_at] > 0.)
    n = env.spec.n_agents
    assert ((~alive[:n]).sum(), (~alive[n:]).sum()) == (step.dead_allies[e], step.dead_enemies[e])
    assert env.units().alive[e].all()


@pytest.mark.unittest
def test_final_units_keep_who_aims_at_whom():
    env, rng = SimVecEnv('MMM', 1, n_threads=1), np.random.default_rng(1)
    step = env.reset()
    while not (env.units().target >= 0).any():
        step = env.step(random_actions(step, rng))
    env._state.episode_step[0] = env.spec.episode_limit - 1
    actions = random_actions(step, rng)
    battle = battle_after(env, 0, actions[0])
    assert env.step(actions).truncated[0]
    target = env.final_units().target[0]
    np.testing.assert_array_equal(target, targets_shown(battle))
    assert (target >= 0).any()


@pytest.mark.unittest
def test_final_units_is_a_copy():
    env = SimVecEnv('3m', 1, n_threads=1)
    until_end(env)
    env.final_units().x[:] = -1.
    assert (env.final_units().x >= 0.).all()


@pytest.mark.unittest
def test_load_state_dict_names_what_lacks():
    env = SimVecEnv('3m', 1, n_threads=1)
    state = env.state_dict()
    del state['episode_return']
    with pytest.raises(ValueError, match='no episode_return; saved by another version'):
        env.load_state_dict(state)


@pytest.mark.unittest
def test_units_is_a_copy():
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()
    env.units().health[:] = 0.
    assert env.units().alive.all()


@pytest.mark.unittest
def test_spec_carries_the_simulator_version():
    spec = SimVecEnv('3m', 1, n_threads=1).spec
    assert (spec.backend, spec.backend_version) == ('sim', SIM_VERSION)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kwargs, error, message', [
        (dict(map_name='4m'), ValueError, "unknown map '4m'"),
        (dict(n_envs=0), ValueError, 'n_envs must be at least 1, got 0'),
        (dict(n_envs=1.5), TypeError, 'n_envs must be an integer, got 1.5'),
        (dict(n_threads=0), ValueError, 'n_threads must be at least 1, got 0'),
        (dict(obs_style='x'), ValueError, "unknown obs_style 'x'"),
        (dict(reward_sparce=True), TypeError, "unknown option 'reward_sparce'; did you mean 'reward_sparse'"),
        (dict(reward_win='much'), TypeError, "reward_win must be a float, got 'much'"),
        (dict(calibration=Calibration(reset_loops='x')), TypeError, "calibration.reset_loops must be a int, got 'x'"),
        (dict(seed=[1, 2, 3]), ValueError, 'got 3 seeds for 1 envs'),
        (dict(seed=-1), ValueError, 'seed must be in 0'),
    ]
)
def test_constructor_names_what_is_wrong(kwargs, error, message):
    with pytest.raises(error, match=message):
        SimVecEnv(**{'map_name': '3m', 'n_envs': 1, **kwargs})


@pytest.mark.unittest
def test_step_before_reset_is_refused():
    env = SimVecEnv('3m', 2, n_threads=1)
    env.reset(np.array([0]))
    with pytest.raises(RuntimeError, match='env 1 was never reset'):
        env.step(np.full((2, 3), STOP))


@pytest.mark.unittest
@pytest.mark.parametrize(
    'actions, error, message', [
        (np.full((1, 3), 1.), TypeError, 'actions must be integers, got dtype float64'),
        (np.full((3, ), 1), ValueError, r'shape \[n_envs, n_agents\] = \(1, 3\), got \(3,\)'),
        (np.array([[1, 9, 1]]), ValueError, r'illegal action 9 of agent 1 in env 0 \(map 3m\); legal actions: \[1, 2'),
        (np.array([[1, 1, -1]]), ValueError, 'illegal action -1 of agent 2'),
        (np.array([[0, 1, 1]]), ValueError, 'illegal action 0 of agent 0'),
    ]
)
def test_wrong_actions_are_named(actions, error, message):
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()
    with pytest.raises(error, match=message):
        env.step(actions)
    env.step(np.full((1, 3), STOP))  # nothing was played


@pytest.mark.unittest
def test_active_of_wrong_dtype_is_refused():
    env = SimVecEnv('3m', 1, n_threads=1)
    env.reset()
    with pytest.raises(TypeError, match='active must have dtype bool, got int64'):
        env.step(np.full((1, 3), STOP), active=np.array([1]))


@pytest.mark.unittest
def test_env_id_out_of_range_is_named():
    with pytest.raises(IndexError, match='env id 2 is out of range: there are 2 envs'):
        SimVecEnv('3m', 2, n_threads=1).reset(np.array([2]))
