"""VectorEnvManager: all battles as one batch behind DI-engine's env manager interface."""
from functools import partial
from typing import Any, Callable, Optional

import numpy as np
import pytest
from ding.envs import create_env_manager
from ding.envs.env_manager.base_env_manager import EnvState
from easydict import EasyDict

from ding_qmix.envs import SMACEnv, VectorEnvManager


def _env_fns(n_envs: int, **cfg: Any) -> list[Callable[[], SMACEnv]]:
    return [partial(SMACEnv, cfg=EasyDict(dict(map_name='3m', **cfg))) for _ in range(n_envs)]


def _launched(n_envs: int = 3, seed: Any = 0, cfg: Any = None, **env_cfg: Any) -> VectorEnvManager:
    manager = VectorEnvManager(_env_fns(n_envs, **env_cfg), cfg)
    manager.seed(seed)
    manager.launch()
    return manager


def _stop(manager: VectorEnvManager, env_ids: Optional[list[int]] = None) -> dict[int, np.ndarray]:
    """Everybody stops; legal while all live, as they do in the scripted battles."""
    return {i: np.ones(3, np.int64) for i in (manager.ready_obs_id if env_ids is None else env_ids)}


def _states(manager: VectorEnvManager) -> dict[int, float]:
    return {i: float(obs['global_state'][0]) for i, obs in manager.ready_obs.items()}


@pytest.mark.unittest
@pytest.mark.parametrize('map_name, eval_stream', [('3m', False), ('MMM', False), ('MMM', True)])
def test_manager_battle_is_the_single_envs_battle(map_name: str, eval_stream: bool) -> None:
    cfg = dict(map_name=map_name, eval_stream=eval_stream)
    manager = VectorEnvManager([partial(SMACEnv, cfg=cfg)] * 3)
    manager.seed(11, dynamic_seed=False)
    manager.launch()
    single_envs = [SMACEnv(cfg) for _ in range(3)]
    obs = {}
    for i, env in enumerate(single_envs):
        env.seed(11 + i)
        obs[i] = env.reset()
    for _ in range(160):  # several episodes
        for i in range(3):
            assert all(np.array_equal(manager.ready_obs[i][key], obs[i][key]) for key in obs[i])
        actions = {i: env.random_action() for i, env in enumerate(single_envs)}
        for i, timestep in manager.step(actions).items():
            single = single_envs[i].step(actions[i])
            assert all(np.array_equal(timestep.obs[key], single.obs[key]) for key in single.obs)
            assert (timestep.reward, timestep.done, timestep.info) == (single.reward, single.done, single.info)
            obs[i] = single_envs[i].reset() if single.done else single.obs


@pytest.mark.unittest
def test_manager_env_ids_get_neighbouring_seeds(scripted: None) -> None:
    assert _states(_launched(seed=4)) == {0: 400., 1: 500., 2: 600.}


@pytest.mark.unittest
@pytest.mark.parametrize('seed', [[4, 9, 2], {0: 4, 1: 9, 2: 2}])
def test_manager_takes_one_seed_per_env(scripted: None, seed: Any) -> None:
    assert _states(_launched(seed=seed)) == {0: 400., 1: 900., 2: 200.}


@pytest.mark.unittest
def test_manager_seed_of_one_env_takes_effect_at_its_reset(scripted: None) -> None:
    manager = _launched(seed=4)
    manager.seed({1: 9})
    manager.reset()
    assert _states(manager) == {0: 400., 1: 900., 2: 600.}


@pytest.mark.unittest
def test_manager_refuses_wrong_number_of_seeds(scripted: None) -> None:
    with pytest.raises(AssertionError, match='env_num'):
        _launched(seed=[1, 2])


@pytest.mark.unittest
def test_manager_reset_after_launch_discards_no_episode(scripted: None) -> None:
    manager = _launched()
    manager.reset()
    assert _states(manager) == {0: 0., 1: 100., 2: 200.}


@pytest.mark.unittest
def test_manager_reset_of_one_env_begins_its_next_episode(scripted: None) -> None:
    manager = _launched()
    manager.step(_stop(manager))
    manager.reset({1: None})
    assert _states(manager) == {0: 1., 1: 110., 2: 201.}


@pytest.mark.unittest
def test_manager_refuses_reset_parameters(scripted: None) -> None:
    with pytest.raises(TypeError, match=r"env 1.*'difficulty'"):
        _launched().reset({1: {'difficulty': 7}})


@pytest.mark.unittest
def test_manager_steps_the_given_envs_only(scripted: None) -> None:
    manager = _launched()
    manager.step(_stop(manager, [2]))
    assert _states(manager) == {0: 0., 1: 100., 2: 201.}


@pytest.mark.unittest
def test_manager_goes_on_with_the_next_episode(scripted: None) -> None:
    manager = _launched(n_envs=1)
    for _ in range(3):
        timestep = manager.step(_stop(manager))[0]
    assert timestep.obs['global_state'][0] == 3. and _states(manager) == {0: 10.}


@pytest.mark.unittest
def test_manager_without_auto_reset_waits(scripted: None) -> None:
    manager = _launched(n_envs=1, cfg=dict(auto_reset=False))
    for _ in range(3):
        manager.step(_stop(manager))
    assert manager.ready_obs == {} and manager._env_states[0] == EnvState.NEED_RESET


@pytest.mark.unittest
def test_manager_after_episode_num_is_done(scripted: None) -> None:
    manager = _launched(n_envs=2, cfg=dict(episode_num=2))
    for _ in range(5):
        manager.step(_stop(manager))
    assert manager.done and manager.env_state_done(1)


@pytest.mark.unittest
def test_manager_refuses_step_of_an_env_that_is_done(scripted: None) -> None:
    manager = _launched(n_envs=1, cfg=dict(episode_num=1))
    for _ in range(3):
        manager.step(_stop(manager))
    with pytest.raises(RuntimeError, match=r'env 0 does not run.*DONE'):
        manager.step(_stop(manager, [0]))


@pytest.mark.unittest
def test_manager_refuses_illegal_action(scripted: None) -> None:
    with pytest.raises(ValueError, match=r'env 1 .3m.: action 0 is illegal for agent 2'):
        _launched().step({1: np.array([1, 1, 0])})


@pytest.mark.unittest
def test_manager_refused_action_moves_no_env(scripted: None) -> None:
    manager = _launched()
    with pytest.raises(ValueError):
        manager.step({**_stop(manager), 2: np.array([0, 0, 0])})
    assert _states(manager) == {0: 0., 1: 100., 2: 200.}


@pytest.mark.unittest
@pytest.mark.parametrize('use', ['step', 'reset', 'ready_obs'])
def test_manager_before_launch_raises(scripted: None, use: str) -> None:
    manager = VectorEnvManager(_env_fns(1))
    with pytest.raises(RuntimeError, match='launch'):
        {'step': lambda: manager.step({}), 'reset': manager.reset, 'ready_obs': lambda: manager.vec_step}[use]()


@pytest.mark.unittest
def test_manager_close_twice_does_nothing(scripted: None) -> None:
    manager = _launched()
    manager.close()
    manager.close()
    assert manager.closed


@pytest.mark.unittest
def test_manager_launch_after_close_plays_its_seeds(scripted: None) -> None:
    manager = _launched(seed=4)
    manager.step(_stop(manager))
    manager.close()
    manager.launch()
    assert _states(manager) == {0: 400., 1: 500., 2: 600.}


@pytest.mark.unittest
def test_manager_launch_twice_raises(scripted: None) -> None:
    with pytest.raises(AssertionError):
        _launched().launch()


@pytest.mark.unittest
def test_manager_batched_face_shows_the_same_battles(scripted: None) -> None:
    manager = _launched()
    manager.vec_env.step(np.ones((3, 3), np.int64))
    assert _states(manager) == dict(enumerate(manager.vec_step.state[:, 0]))


@pytest.mark.unittest
def test_manager_random_action_is_legal() -> None:
    manager = _launched()
    for _ in range(70):
        manager.step(manager.random_action())  # refuses illegal actions
    assert set(manager.random_action()) == {0, 1, 2}


@pytest.mark.unittest
def test_manager_ready_obs_is_a_copy(scripted: None) -> None:
    manager = _launched(n_envs=1)
    obs = manager.ready_obs[0]
    manager.step(_stop(manager))
    assert obs['global_state'][0] == 0.


@pytest.mark.unittest
def test_manager_unseeded_battles_differ(scripted: None) -> None:
    manager = VectorEnvManager(_env_fns(3))
    manager.launch()
    assert len(set(_states(manager).values())) == 3


@pytest.mark.unittest
def test_manager_refuses_mixed_configs(scripted: None) -> None:
    with pytest.raises(ValueError, match="env 1 has map_name='MMM', but env 0 has '3m'"):
        VectorEnvManager([partial(SMACEnv, cfg=dict(map_name=name)) for name in ('3m', 'MMM')])


@pytest.mark.unittest
def test_manager_refuses_unknown_key(scripted: None) -> None:
    with pytest.raises(ValueError, match='episode_num'):
        VectorEnvManager(_env_fns(1), dict(episode_nun=3))


@pytest.mark.unittest
def test_manager_refuses_other_envs(scripted: None) -> None:

    class Other(SMACEnv):
        pass

    class Stranger:
        observation_space = action_space = reward_space = None

    assert VectorEnvManager([partial(Other, cfg=dict(map_name='3m'))]).env_num == 1
    with pytest.raises(TypeError, match='Stranger'):
        VectorEnvManager([Stranger])


@pytest.mark.unittest
def test_manager_is_made_by_ding_engines_factory(scripted: None) -> None:
    cfg = VectorEnvManager.default_config()
    cfg.update(type='ding_smac_vector', import_names=['ding_qmix'], shared_memory=False)
    assert isinstance(create_env_manager(cfg, _env_fns(2)), VectorEnvManager)


@pytest.mark.unittest
def test_manager_gives_attributes_of_its_envs(scripted: None) -> None:
    assert [spec.map_name for spec in _launched().env_spec] == ['3m'] * 3


@pytest.mark.unittest
def test_manager_unknown_attribute_raises(scripted: None) -> None:
    with pytest.raises(AttributeError, match='battles'):
        _launched().battles  # noqa: B018
