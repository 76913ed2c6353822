"""SMACMultiAgentEnv: PyMARL's API."""
from typing import Any

import numpy as np
import pytest
import torch

from ding_qmix.envs import SMACMultiAgentEnv
from ding_qmix.smac.scenarios import SCENARIOS, make_spec

# The env_args of PyMARL's config for SMAC.
PYMARL_ARGS: dict[str, Any] = dict(
    continuing_episode=False,
    difficulty='7',
    game_version=None,
    map_name='3m',
    move_amount=2,
    obs_all_health=True,
    obs_instead_of_state=False,
    obs_last_action=False,
    obs_own_health=True,
    obs_pathing_grid=False,
    obs_terrain_height=False,
    obs_timestep_number=False,
    reward_death_value=10,
    reward_defeat=0,
    reward_negative_scale=0.5,
    reward_only_positive=True,
    reward_scale=True,
    reward_scale_rate=20,
    reward_sparse=False,
    reward_win=200,
    replay_dir='',
    replay_prefix='',
    state_last_action=True,
    state_timestep_number=False,
    step_mul=8,
    seed=None,
    heuristic_ai=False,
    heuristic_rest=False,
    debug=False
)


def _scripted_env(**kwargs: Any) -> SMACMultiAgentEnv:
    env = SMACMultiAgentEnv('3m', seed=2, **kwargs)
    env.reset()
    return env


def _play_episode(env: SMACMultiAgentEnv, choose: Any = None) -> list[tuple]:
    """PyMARL's episode loop with random legal actions, or everybody's last legal one."""
    env.reset()
    rng, results, terminated = np.random.default_rng(0), [], False
    while not terminated:
        legal = [np.flatnonzero(env.get_avail_agent_actions(i)) for i in range(env.n_agents)]
        results.append(env.step([row[-1] if choose == 'last' else rng.choice(row) for row in legal]))
        terminated = results[-1][1]
    return results


def _scripted_end(episode: int, **kwargs: Any) -> dict[str, Any]:
    """Info at the end of the scripted episode of this number."""
    env = _scripted_env(**kwargs)
    return [_play_episode(env, 'last')[-1][2] for _ in range(episode + 1)][-1]


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['3m', 'MMM'])
def test_pymarl_env_info_has_the_maps_sizes(map_name: str) -> None:
    spec = make_spec(map_name, 'smac')
    assert SMACMultiAgentEnv(map_name).get_env_info() == dict(
        state_shape=spec.state_dim,
        obs_shape=spec.obs_dim,
        n_actions=spec.n_actions,
        n_agents=spec.n_agents,
        episode_limit=SCENARIOS[map_name].episode_limit
    )


@pytest.mark.unittest
def test_pymarl_getters_agree_in_shape_with_env_info() -> None:
    env = SMACMultiAgentEnv('3m', seed=0)
    obs, state = env.reset()
    info = env.get_env_info()
    assert [o.shape for o in obs] == [(info['obs_shape'], )] * 3 and state.shape == (info['state_shape'], )
    assert np.shape(env.get_avail_actions()) == (3, env.get_total_actions())


@pytest.mark.unittest
def test_pymarl_single_getters_agree_with_the_joint_ones() -> None:
    env = SMACMultiAgentEnv('3m', seed=0)
    env.reset()
    assert np.array_equal(env.get_obs_agent(1), env.get_obs()[1])
    assert env.get_avail_agent_actions(1) == env.get_avail_actions()[1]


@pytest.mark.unittest
def test_pymarl_args_of_its_own_config_are_accepted() -> None:
    assert SMACMultiAgentEnv(**PYMARL_ARGS).get_obs_size() == 30


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kwargs, error, word', [
        (dict(difficulty='A'), ValueError, "difficulty='A' is not offered, only '7'"),
        (dict(obs_terrain_height=True), ValueError, 'obs_terrain_height'),
        (dict(game_version='4.6.2'), ValueError, "game_version='4.6.2' is not offered, only None or '4.10'"),
        (dict(heuristic_ai=True), ValueError, 'heuristic_ai=True'),
        (dict(reward_wins=1), ValueError, 'reward_win'),
        (dict(backend='simm'), ValueError, "'sim'"),
    ]
)
def test_pymarl_args_not_offered_are_refused(kwargs: dict, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        SMACMultiAgentEnv('3m', **kwargs)


@pytest.mark.unittest
def test_pymarl_reward_option_reaches_the_battle() -> None:
    rewards = [r for r, _, _ in _play_episode(SMACMultiAgentEnv('3m', seed=0, reward_sparse=True))]
    assert set(rewards[:-1]) <= {0.}


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_pymarl_episode_ends_within_the_limit(map_name: str) -> None:
    env = SMACMultiAgentEnv(map_name, seed=0)
    assert len(_play_episode(env)) <= env.episode_limit


@pytest.mark.unittest
def test_pymarl_step_returns_plain_types() -> None:
    env = SMACMultiAgentEnv('3m', seed=0)
    env.reset()
    reward, terminated, info = env.step(torch.ones(3, dtype=torch.long))
    assert [type(x) for x in (reward, terminated, *info.values())] == [float, bool, bool, int, int]
    assert list(info) == ['battle_won', 'dead_allies', 'dead_enemies']  # PyMARL logs the mean of every key


@pytest.mark.unittest
@pytest.mark.parametrize('episode, won', [(0, True), (1, False), (2, False), (3, False)])
def test_pymarl_info_battle_won(scripted: None, episode: int, won: bool) -> None:
    assert _scripted_end(episode)['battle_won'] is won


@pytest.mark.unittest
def test_pymarl_info_counts_the_dead(scripted: None) -> None:
    info = _scripted_end(1)
    assert (info['dead_allies'], info['dead_enemies']) == (3, 1)


@pytest.mark.unittest
@pytest.mark.parametrize('episode, marked', [(0, False), (1, False), (2, False), (3, True)])
def test_pymarl_episode_limit_marks_the_time_limit_alone(scripted: None, episode: int, marked: bool) -> None:
    assert _scripted_end(episode, continuing_episode=True).get('episode_limit', False) is marked


@pytest.mark.unittest
def test_pymarl_time_limit_is_an_end_like_any_other_by_default(scripted: None) -> None:
    env = _scripted_env()
    info = [_play_episode(env, 'last')[-1][2] for _ in range(4)][-1]
    assert 'episode_limit' not in info and env.get_stats()['timeouts'] == 1


@pytest.mark.unittest
def test_pymarl_after_the_end_getters_show_the_last_obs(scripted: None) -> None:
    env = _scripted_env()
    _play_episode(env)
    assert env.get_state()[0] == 203. and env.get_obs()[0][0] == 203.


@pytest.mark.unittest
def test_pymarl_reset_shows_the_next_episode(scripted: None) -> None:
    env = _scripted_env()
    _play_episode(env)
    assert env.reset()[1][0] == 210.


@pytest.mark.unittest
def test_pymarl_double_reset_discards_no_episode(scripted: None) -> None:
    env = _scripted_env()
    assert env.reset()[1][0] == 200.


@pytest.mark.unittest
def test_pymarl_step_after_the_end_raises(scripted: None) -> None:
    env = _scripted_env()
    _play_episode(env)
    with pytest.raises(RuntimeError, match='reset'):
        env.step([1, 1, 1])


@pytest.mark.unittest
def test_pymarl_step_before_reset_raises() -> None:
    with pytest.raises(RuntimeError, match='reset'):
        SMACMultiAgentEnv('3m').step([1, 1, 1])


@pytest.mark.unittest
def test_pymarl_illegal_action_is_refused(scripted: None) -> None:
    with pytest.raises(ValueError, match='action 0 is illegal for agent 1'):
        _scripted_env().step([1, 0, 1])


@pytest.mark.unittest
def test_pymarl_stats_count_the_episodes(scripted: None) -> None:
    env = _scripted_env()
    for _ in range(5):
        _play_episode(env)
    assert env.get_stats() == dict(battles_won=2, battles_game=5, battles_draw=1, timeouts=1, restarts=0, win_rate=0.4)


@pytest.mark.unittest
def test_pymarl_stats_before_any_episode_are_zero() -> None:
    assert SMACMultiAgentEnv('3m').get_stats()['win_rate'] == 0.


@pytest.mark.unittest
def test_pymarl_seed_fixes_the_episodes() -> None:
    first, second = (_play_episode(SMACMultiAgentEnv('3m', seed=5)) for _ in range(2))
    assert first == second


@pytest.mark.unittest
def test_pymarl_seed_is_returned_and_can_be_set(scripted: None) -> None:
    env = _scripted_env()
    assert env.seed() == 2 and env.seed(7) == 7 and env.reset()[1][0] == 700.


@pytest.mark.unittest
def test_pymarl_units_shows_the_unit_table() -> None:
    env = SMACMultiAgentEnv('3m', seed=0)
    env.reset()
    assert env.units().health.tolist() == [[45.] * 6]


@pytest.mark.unittest
def test_pymarl_obs_is_a_copy(scripted: None) -> None:
    env = _scripted_env()
    obs, state = env.reset()
    env.step([1, 1, 1])
    assert obs[0][0] == 200. and state[0] == 200.


@pytest.mark.unittest
def test_pymarl_close_twice_does_nothing() -> None:
    env = SMACMultiAgentEnv('3m')
    env.close()
    env.close()


@pytest.mark.unittest
def test_pymarl_units_shows_the_ended_battle_until_reset() -> None:
    env = SMACMultiAgentEnv('3m', seed=3)
    env.reset()
    ended = False
    while not ended:
        actions = [int(np.flatnonzero(row)[-1]) for row in env.get_avail_actions()]
        _, ended, info = env.step(actions)
    alive = env.units().alive[0]
    assert ((~alive[:3]).sum(), (~alive[3:]).sum()) == (info['dead_allies'], info['dead_enemies'])
    assert not alive.all()
    env.reset()
    assert env.units().alive.all()


@pytest.mark.unittest
@pytest.mark.parametrize(
    'actions', [
        [1, 1, 1.5], [1, 1, 1.], [1, 1, True], [1, 1, '1'],
        np.ones(3),
        np.ones(3, bool),
        torch.ones(3),
        torch.ones(3, dtype=torch.bool)
    ]
)
def test_actions_that_are_no_integers_are_refused_by_name(scripted: None, actions: Any) -> None:
    env = _scripted_env()
    with pytest.raises(TypeError, match=r'action of agent \d is .*expected an integer'):
        env.step(actions)
    assert env.step([1, 1, 1])[0] == 1.  # nothing was played


@pytest.mark.unittest
@pytest.mark.parametrize('actions', [np.ones(3, np.uint8), torch.ones(3, dtype=torch.int32), [np.int64(1)] * 3])
def test_integers_of_every_kind_are_actions(scripted: None, actions: Any) -> None:
    assert _scripted_env().step(actions)[0] == 1.


@pytest.mark.unittest
@pytest.mark.parametrize('seed', [1.5, 2., True, '3', np.float32(2), torch.tensor(2.)])
def test_seed_that_is_no_integer_is_refused(scripted: None, seed: Any) -> None:
    env = _scripted_env()
    for seeded in (env.seed, lambda value: SMACMultiAgentEnv('3m', seed=value)):
        with pytest.raises(TypeError, match=r'seed is .*expected an integer'):
            seeded(seed)
    assert env.seed() == 2 and env.seed(np.int32(7)) == 7 and env.seed(torch.tensor(8)) == 8
