"""The backend over the test server shows what the simulator shows: obs, state, masks, rewards, ends."""
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from every_map import random_actions
from game_install import GameInstall, is_running

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.envs import make_vec_env
from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.spec import EnvFailure, ObsLayout, VecStep
from ding_qmix.starcraft2.battle import game_seed
from ding_qmix.starcraft2.errors import GameRefused
from ding_qmix.starcraft2.vec_env import StarCraft2VecEnv

SEED = 7
N_STEPS = 100  # [env steps] of each env, some episodes


@pytest.fixture
def install(tmp_path: Path) -> GameInstall:
    return GameInstall(tmp_path / 'game')


@pytest.fixture
def build(install: GameInstall) -> Iterator[Callable[..., StarCraft2VecEnv]]:
    """Build the backend on the test server."""
    built = []

    def build_env(map_name: str = '3m', n_envs: int = 1, **options: Any) -> StarCraft2VecEnv:
        game = install.options(**options.pop('game', {}))
        env = make_vec_env(map_name, n_envs, backend='starcraft2', seed=SEED, game=game, **options)
        built.append(env)
        return env

    yield build_env
    for env in built:
        env.close()
    assert not any(map(is_running, install.pids()))


def make_sim(map_name: str, n_envs: int, n_games: int = 0, **options: Any) -> SimVecEnv:
    """The simulator's battles in the n-th games of these envs."""
    return SimVecEnv(map_name, n_envs, seed=[game_seed(SEED + e, n_games) for e in range(n_envs)], **options)


def without_edge_of_sight(obs: np.ndarray, layout: ObsLayout) -> np.ndarray:
    """Return obs without the units that are a rounding error inside the sight range: the game sends float32."""
    obs, start = obs.copy(), layout.move
    for n_units, width in (layout.enemy, layout.ally):
        block = obs[..., start:start + n_units * width]
        blocks = block.reshape(*obs.shape[:-1], n_units, width)
        blocks[blocks[..., 1] > 1. - 1e-6] = 0.
        block[...] = blocks.reshape(block.shape)
        start += n_units * width
    return obs


def assert_shows_the_same(got: VecStep, wanted: VecStep, layout: ObsLayout) -> None:
    got, wanted = (
        step._replace(
            obs=without_edge_of_sight(step.obs, layout), final_obs=without_edge_of_sight(step.final_obs, layout)
        ) for step in (got, wanted)
    )
    ended = wanted.terminated | wanted.truncated
    for name in VecStep._fields:
        rows = ended if name.startswith('final') else slice(None)
        np.testing.assert_allclose(
            getattr(got, name)[rows], getattr(wanted, name)[rows], rtol=1e-5, atol=2e-6, err_msg=name
        )


def play_both(env: StarCraft2VecEnv, sim: SimVecEnv, n_steps: int, policy_name: str = '') -> int:
    """Play both alike, by a scripted policy or else at random; return how many episodes ended."""
    rng, n_ended = np.random.default_rng(0), 0
    policy = make_scripted_policy(policy_name, env.spec, env.n_envs, 0) if policy_name else None
    got, wanted = env.reset(), sim.reset()
    for _ in range(n_steps):
        assert_shows_the_same(got, wanted, env.spec.obs_layout)
        actions = random_actions(wanted, rng, .8) if policy is None else policy.act(wanted, sim.units())
        got, wanted = env.step(actions), sim.step(actions)
        n_ended += int((wanted.terminated | wanted.truncated).sum())
    assert_shows_the_same(got, wanted, env.spec.obs_layout)
    return n_ended


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name, options', [
        ('MMM', {}),
        ('2s3z', dict(obs_style='smac', special_global_state=True, death_mask=True, reward_only_positive=False)),
        ('3s_vs_3z', dict(step_mul=4, obs_timestep_number=True, obs_pathing_grid=True, state_timestep_number=True)),
    ]
)
def test_game_shows_what_the_simulator_shows(build: Callable, map_name: str, options: dict) -> None:
    assert play_both(build(map_name, 2, **options), make_sim(map_name, 2, **options), N_STEPS) >= 2


@pytest.mark.slowtest
@pytest.mark.parametrize('policy_name', ['', 'focus'])
@pytest.mark.parametrize('map_name', SCENARIOS)
def test_game_shows_what_the_simulator_shows_on_every_map(build: Callable, map_name: str, policy_name: str) -> None:
    assert play_both(build(map_name, 2), make_sim(map_name, 2), SCENARIOS[map_name].episode_limit, policy_name) >= 2


@pytest.mark.unittest
def test_units_and_version_are_the_games(build: Callable) -> None:
    env, sim = build(n_envs=1), make_sim('3m', 1)
    env.reset(), sim.reset()
    for name, got in env.units()._asdict().items():
        if name != 'target':  # which the game does not tell
            np.testing.assert_allclose(got, getattr(sim.units(), name), rtol=1e-6)
    assert env.spec.backend == 'starcraft2'
    assert env.spec.backend_version == '4.10.0.75689 (data B89B5D6FA7CBF6452E721311BFBC6CB2)'


STOP = np.ones((2, 3), np.int64)  # for two envs of 3m


def play_passively(env: StarCraft2VecEnv) -> VecStep:
    """Play an episode in which nobody fights; return its last step."""
    step = env.reset()
    while not (step.terminated | step.truncated)[0]:
        step = env.step(step.action_mask.argmax(-1))  # no-op where dead, else stop
    return step


@pytest.mark.unittest
@pytest.mark.parametrize('fault', ['crash', 'error', 'ended'])
def test_broken_game_loses_its_episode_and_no_other(build: Callable, install: GameInstall, fault: str) -> None:
    install.plan(dict(kind=fault, start=0, at=2))
    env, sim = build(n_envs=2), make_sim('3m', 2)
    env.reset(), sim.reset()
    for _ in range(3):
        got, wanted = env.step(STOP), sim.step(STOP)
    lost = int(np.flatnonzero(got.lost)[0])  # which of the two has the first process
    assert got.lost.sum() == 1 and env.lost_cause(lost) and not env.lost_cause(1 - lost)
    assert not (got.terminated | got.truncated | got.won)[lost]
    assert (got.reward[lost], got.episode_len[lost], got.episode_return[lost]) == (0., 0, 0.)
    assert (got.obs[1 - lost] == pytest.approx(wanted.obs[1 - lost], abs=1e-6)) and got.episode_len[1 - lost] == 3
    following = make_sim('3m', 2, n_games=1).reset()
    assert got.obs[lost] == pytest.approx(following.obs[lost], abs=1e-6)
    assert not env.step(STOP).lost.any() and env.observe().episode_len[lost] == 1


@pytest.mark.unittest
def test_game_that_always_breaks_stops_the_run_and_says_why(build: Callable, install: GameInstall) -> None:
    install.plan(dict(kind='error', at=1))
    env = build(game=dict(max_failures=3))
    env.reset()
    with pytest.raises(EnvFailure, match=r'env 0 broke 3 times in a row.*cannot step now.*docs/starcraft2'):
        for _ in range(6):
            env.step(STOP[:1])
    assert len(install.pids()) == 3


@pytest.mark.unittest
def test_late_units_are_waited_for_and_missing_ones_are_named(build: Callable, install: GameInstall) -> None:
    install.plan(dict(kind='late_units', start=0, value=4), dict(kind='missing_unit', start=1, at=-1))
    env = build(game=dict(max_failures=1))
    assert env.reset().action_mask[0, :, 0].sum() == 0  # all agents live
    with pytest.raises(EnvFailure, match='2 of 3 allied and 3 of 3 enemy units'):
        build(game=dict(max_failures=1)).reset()


@pytest.mark.unittest
@pytest.mark.parametrize('fault, word', [('extra_unit', '4 allied'), ('other_type', "'?105'?: 1")])
def test_map_that_is_not_smacs_is_refused(build: Callable, install: GameInstall, fault: str, word: str) -> None:
    install.plan(dict(kind=fault, at=-1))
    with pytest.raises(GameRefused, match=f'{word}.*oxwhirl/smac'):
        build().reset()


@pytest.mark.unittest
def test_game_that_is_near_its_end_of_time_is_replaced_between_two_episodes(build: Callable, install: Any) -> None:
    env = build(game=dict(max_game_loop=100))
    step = play_passively(env)
    assert step.terminated[0] and not step.lost.any()
    assert step.obs[0] == pytest.approx(make_sim('3m', 1, n_games=1).reset().obs[0], abs=1e-6)
    assert len(install.pids()) == 2


@pytest.mark.unittest
def test_units_that_come_within_the_step_of_a_draw_are_not_the_next_episodes(build: Callable, install: Any) -> None:
    install.plan(respawn_at_once=True)
    env = build()
    env.reset()
    battle = env._battles[0]
    battle.game.send_reset(battle.table.retire())  # all die, and the map brings new units in the step after
    battle.table.update(battle.game.receive_units())
    first = set(battle.table._shown.tolist())
    env.reset()
    assert len(first) == 6 and not first & set(battle.table._shown.tolist())


@pytest.mark.unittest
def test_seed_begins_a_new_game_and_saved_envs_go_on_with_the_next(build: Callable) -> None:
    env = build()
    env.reset()
    saved = env.state_dict()
    env.seed(np.array([SEED]))
    assert env.reset().obs == pytest.approx(make_sim('3m', 1).reset().obs, abs=1e-6)
    env.load_state_dict(saved)
    assert env.observe().obs == pytest.approx(make_sim('3m', 1, n_games=1).reset().obs, abs=1e-6)
    with pytest.raises(ValueError, match="map_name is '8m'"):
        env.load_state_dict(dict(saved, map_name='8m'))
    with pytest.raises(ValueError, match='0 envs'):
        env.load_state_dict(dict(saved, games=[]))


@pytest.mark.unittest
def test_wrong_calls_are_refused_and_play_nothing(build: Callable) -> None:
    env = build()
    env.reset()
    for actions, error, word in (
        (np.zeros((1, 3)), TypeError, 'integers'),
        (np.ones((1, 2), int), ValueError, 'shape'),
        (np.array([[1, 0, 1]]), ValueError, 'illegal action 0 of agent 1 in env 0'),
        (np.array([[1, 99, 1]]), ValueError, 'illegal action 99'),
    ):
        with pytest.raises(error, match=word):
            env.step(actions)
    for seeds in ([1, 2], [-1]):
        with pytest.raises(ValueError, match='seed'):
            env.seed(np.array(seeds))
    env._whole[:] = False  # as after an interrupted call
    with pytest.raises(RuntimeError, match=r'env 0 was never reset'):
        env.step(STOP[:1])


@pytest.mark.unittest
def test_every_episode_that_ends_renews_the_games_replay(build: Callable, tmp_path: Path) -> None:
    env = build()
    env.record_replays([tmp_path / 'replays' / '3m_env000'])
    play_passively(env)
    assert (tmp_path / 'replays' / '3m_env000_game1.SC2Replay').read_bytes().startswith(b'replay of 3m')
